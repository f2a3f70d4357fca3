package failure

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/plumbline-ci/plumbline/reports"
)

// Mocks is MocksFor of package render.
func Mocks(list []reports.MissingCommand) string {
	var b strings.Builder
	b.WriteString("mocks:\n")
	for i, m := range list {
		same := func(o reports.MissingCommand) bool {
			return o.Image == m.Image && slices.Equal(o.Command, m.Command) && slices.Equal(o.Args, m.Args)
		}
		if slices.ContainsFunc(list[:i], same) {
			continue
		}
		var places []string
		for _, o := range list[i:] {
			if place := o.Container + " in " + o.Pod; same(o) && !slices.Contains(places, place) {
				places = append(places, place)
			}
		}
		fmt.Fprintf(&b, "# %s\n- image: %s\n", some(places), flow(m.Image))
		if len(m.Command) > 0 {
			fmt.Fprintf(&b, "  command: %s\n", flow(m.Command))
		}
		if len(m.Args) > 0 {
			fmt.Fprintf(&b, "  args: %s\n", flow(m.Args))
		}
		b.WriteString("  stdout: \"\"\n")
	}
	return b.String()
}

// some names the first few places.
func some(places []string) string {
	const most = 3
	if len(places) > most {
		return strings.Join(places[:most], ", ") + fmt.Sprintf(" and %d more", len(places)-most)
	}
	return strings.Join(places, ", ")
}

// flow renders a word or a list of words as YAML on one line.
func flow(v any) string {
	var n yaml.Node
	if err := n.Encode(v); err != nil { // words always can be encoded
		return fmt.Sprintf("%q", v)
	}
	n.Style = yaml.FlowStyle
	for _, c := range append(n.Content, &n) {
		if strings.Contains(c.Value, "\n") {
			c.Style = yaml.DoubleQuotedStyle
		}
	}
	data, err := yaml.Marshal(&n)
	if err != nil {
		return fmt.Sprintf("%q", v)
	}
	return strings.TrimSuffix(string(data), "\n")
}
