package advice

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/simulator"
	"github.com/plumbline-ci/plumbline/simulator/image"
)

// defaultHeader is what a script without "#!" begins with.
const defaultHeader = "#!/bin/sh\n"

// BeforeRun says which containers of a Task or TaskRun could not start: their image cannot be pulled, or it has no command
// that they ask for. lacks answers for one container. What depends on a param without a default is left alone.
func BeforeRun(m *fixture.Manifest, lacks func(simulator.Command) ([]reports.MissingCommand, error)) []Note {
	path := "spec"
	switch m.Kind {
	case "Task", "ClusterTask":
	case "TaskRun":
		path = "spec.taskSpec"
	default:
		return nil
	}
	t := &task{manifest: m, path: path, spec: mapping(m.Object, strings.Split(path, ".")...)}
	values := defaults(t.spec)
	for name, value := range given(m) {
		values[name] = value
	}
	var notes []Note
	for _, list := range []string{"steps", "sidecars"} {
		for i, c := range mappings(t.spec, list) {
			asked := command(c, mapping(t.spec, "stepTemplate"), list, values)
			if strings.Contains(asked.Image, "$(") || asked.Image == "" {
				continue
			}
			n, who := Note{At: t.at("%s[%d].image", list, i), Run: m.Ref()}, ""
			if list == "steps" {
				n.Step = stepName(i, c)
			} else {
				who = "sidecar " + text(c, "name") + ": "
			}
			say := func(format string, args ...any) {
				n.Text = who + fmt.Sprintf(format, args...)
				notes = append(notes, n)
			}
			missing, err := lacks(asked)
			var pull *image.PullError
			switch {
			case errors.As(err, &pull):
				say("the image %s cannot be pulled: %s", asked.Image, pull.Message)
			case err != nil:
				say("it cannot start in the image %s: %v", asked.Image, err)
			}
			for _, lack := range missing {
				if len(lack.Command) == 0 || !strings.Contains(lack.Command[0], "$(") {
					say("%s; give it a mock, or describe the image", lack)
				}
			}
		}
	}
	return notes
}

// command is what a step or a sidecar asks for, as far as it is known before the run.
func command(c, template map[string]any, list string, values map[string]string) simulator.Command {
	asked := simulator.Command{Image: text(c, "image"), Script: text(c, "script"), Command: texts(c, "command"), Args: texts(c, "args")}
	if list == "steps" {
		if asked.Image == "" {
			asked.Image = text(template, "image")
		}
		if len(asked.Command) == 0 {
			asked.Command = texts(template, "command")
		}
		if len(asked.Args) == 0 {
			asked.Args = texts(template, "args")
		}
	}
	asked.Image = replaced(asked.Image, values)
	for _, words := range [][]string{asked.Command, asked.Args} {
		for i := range words {
			words[i] = replaced(words[i], values)
		}
	}
	if asked.Script != "" && !strings.HasPrefix(asked.Script, "#!") {
		asked.Script = defaultHeader + asked.Script
	}
	return asked
}

// texts are the items of a list of texts.
func texts(o map[string]any, field string) []string {
	list, _ := o[field].([]any)
	out := make([]string, 0, len(list))
	for _, item := range list {
		s, _ := item.(string)
		out = append(out, s)
	}
	return out
}

// defaults are the values of the params that have a text for a default.
func defaults(spec map[string]any) map[string]string {
	out := map[string]string{}
	for _, p := range mappings(spec, "params") {
		if value, ok := p["default"].(string); ok {
			out[text(p, "name")] = value
		}
	}
	return out
}

// given are the values that a run gives.
func given(m *fixture.Manifest) map[string]string {
	out := map[string]string{}
	if m.Kind != "TaskRun" {
		return out
	}
	for _, p := range mappings(m.Object, "spec", "params") {
		if value, ok := p["value"].(string); ok {
			out[text(p, "name")] = value
		}
	}
	return out
}

// paramVariable is a variable of a param, in its three spellings.
var paramVariable = regexp.MustCompile(`\$\((?:inputs\.)?params(?:\.([A-Za-z0-9_.-]+)|\["([^"]+)"\]|\['([^']+)'\])\)`)

// replaced is a text with the params whose values are known.
func replaced(s string, values map[string]string) string {
	return paramVariable.ReplaceAllStringFunc(s, func(v string) string {
		found := paramVariable.FindStringSubmatch(v)
		if value, ok := values[found[1]+found[2]+found[3]]; ok {
			return value
		}
		return v
	})
}
