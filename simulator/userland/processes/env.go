package processes

import (
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Env is the utility env.
func Env(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	environment := slices.Clone(p.Env)
	if t.GNU {
		args = splitString(args)
	}
	opts, rest, ok := t.Options(args, "iu:0", true, map[string]string{"ignore-environment": "i", "unset": "u:", "null": "0"})
	if !ok {
		return t.End()
	}
	if len(rest) > 0 && rest[0] == "-" {
		opts['i'], rest = []string{""}, rest[1:]
	}
	unset := func(name string) {
		environment = slices.DeleteFunc(environment, func(kv string) bool { return strings.HasPrefix(kv, name+"=") })
	}
	if kit.Has(opts, 'i') {
		environment = nil
	}
	for _, name := range opts['u'] {
		unset(name)
	}
	for len(rest) > 0 && strings.Contains(rest[0], "=") {
		name, _, _ := strings.Cut(rest[0], "=")
		unset(name)
		environment = append(environment, rest[0])
		rest = rest[1:]
	}
	if dir := kit.Last(opts, 'C'); kit.Has(opts, 'C') {
		if len(rest) == 0 {
			t.Complain("must specify command with --chdir (-C)")
			return t.Usage()
		}
		if err := p.Chdir(dir); err != nil {
			t.Complain("cannot change directory to '%s': %s", dir, kit.Message(err))
			t.Status = 125
			return t.End()
		}
	}
	if len(rest) == 0 {
		end := "\n"
		if kit.Has(opts, '0') {
			end = "\x00"
		}
		for _, kv := range environment {
			t.Out.WriteString(kv + end)
		}
		return t.End()
	}
	p.Env = environment
	err := p.Exec(rest, environment)
	t.Complain("can't execute '%s': %s", rest[0], kit.Message(err))
	t.Status = 126
	if kit.Message(err) == "No such file or directory" {
		t.Status = 127
	}
	return t.End()
}

// splitString replaces the option -S of GNU's env by the words of its value.
func splitString(args []string) []string {
	for i := 1; i < len(args); i++ {
		a := args[i]
		var value string
		attached := true
		switch {
		case strings.HasPrefix(a, "--split-string="):
			value = strings.TrimPrefix(a, "--split-string=")
		case strings.HasPrefix(a, "--") || !strings.HasPrefix(a, "-"):
			if !strings.HasPrefix(a, "-") || a == "--" {
				return args
			}
			continue
		case strings.HasPrefix(strings.TrimLeft(a[1:], "i0v"), "S"):
			before, after, _ := strings.Cut(a, "S")
			value, attached = after, after != ""
			if before != "-" {
				args = slices.Insert(slices.Clone(args), i, before)
				i++
			}
		case a == "-u" || a == "-C":
			i++
			continue
		default:
			continue
		}
		rest := args[i+1:]
		if !attached {
			if len(rest) == 0 {
				return args
			}
			value, rest = rest[0], rest[1:]
		}
		return slices.Concat(args[:i], kit.ShellWords(value), rest)
	}
	return args
}

// Printenv is the utility printenv.
func Printenv(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	if len(args) == 1 {
		for _, kv := range p.Env {
			t.Out.WriteString(kv + "\n")
		}
		return t.End()
	}
	for _, name := range args[1:] {
		if v, ok := p.LookupEnv(name); ok {
			t.Out.WriteString(v + "\n")
		} else {
			t.Status = 1
		}
	}
	return t.End()
}
