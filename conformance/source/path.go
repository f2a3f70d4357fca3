package source

import (
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

var pathSegment = regexp.MustCompile(`[^.\[\]]+|\[[^\]]*\]`)

// Reach goes along a path from n as far as there are values, and says how many parts of the path are missing. API servers
// spell fields with or without capitals, and name items of lists by index or by name.
func Reach(n *yaml.Node, path string) (at *yaml.Node, missing int) {
	at = n
	segments := pathSegment.FindAllString(path, -1)
	missing = len(segments)
	for _, segment := range segments {
		name := strings.Trim(segment, "[]")
		var next *yaml.Node
		switch at.Kind {
		case yaml.MappingNode:
			next = member(at, name)
		case yaml.SequenceNode:
			if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(at.Content) {
				next = at.Content[i]
				break
			}
			for _, item := range at.Content {
				if called := member(item, "name"); called != nil && called.Value == name {
					next = item // the last of its name: usually it is the one too many
				}
			}
		}
		if next == nil {
			break
		}
		if next.Kind == yaml.AliasNode {
			next = next.Alias
		}
		at = next
		missing--
	}
	return at, missing
}

// member is the value of a mapping's field, or nil.
func member(n *yaml.Node, name string) (value *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if strings.EqualFold(n.Content[i].Value, name) {
			value = n.Content[i+1]
		}
	}
	return value
}
