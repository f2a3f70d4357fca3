package command

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
)

// flagError says what is wrong with a flag in words of the command line instead of the library's.
func flagError(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		value   *pflag.InvalidValueError
		hint    = "see"
	)
	if args := cmd.Flags().Args(); errors.As(err, &unknown) && !cmd.HasParent() && len(args) > 0 {
		return unknownCommand(cmd, args[0]) // its flags are unknown, too
	}
	switch {
	case errors.As(err, &unknown):
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		if near := source.Nearest("--"+unknown.GetSpecifiedName(), names); near != "" && unknown.GetSpecifiedShortnames() == "" {
			hint = fmt.Sprintf("did you mean %s? See", near)
		}
	case errors.As(err, &value):
		if kind := wanted(value.GetFlag().Value.Type()); kind != "" {
			err = fmt.Errorf("--%s %s: want %s", value.GetFlag().Name, value.GetValue(), kind)
		}
	}
	return &usageError{fmt.Errorf("%w; %s '%s --help'", err, hint, cmd.CommandPath())}
}

// checkLists refuses lists that are given without an item. A shell's variable that is empty would choose everything.
func checkLists(cmd *cobra.Command) error {
	var err error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		list, ok := f.Value.(pflag.SliceValue)
		if ok && err == nil && strings.Join(list.GetSlice(), "") == "" {
			err = &usageError{fmt.Errorf("--%s is empty; give it a value, or leave it out; see '%s --help'", f.Name, cmd.CommandPath())}
		}
	})
	return err
}

// wanted describes the values of a type of flag.
func wanted(kind string) string {
	switch kind {
	case "int", "uint64":
		return "a whole number"
	case "bool":
		return "true or false"
	case "duration":
		return "a duration, such as 15s"
	}
	return ""
}

// oneOf checks the value of a flag against its choices.
func oneOf(flag, value string, choices ...string) error {
	if slices.Contains(choices, value) {
		return nil
	}
	const few = 8 // as many as one reads to find the right one
	if near := source.Nearest(value, choices); near != "" && len(choices) > few {
		return &usageError{fmt.Errorf("--%s %s: did you mean %q?", flag, value, near)}
	}
	return &usageError{fmt.Errorf("--%s %s: want one of %s", flag, value, strings.Join(choices, ", "))}
}

// checkFilter refuses words that no fixture can have: a filter that is misspelt selects nothing, and that looks like a
// suite without such fixtures. list are the user's own fixtures, if there are any, with words of their own.
func checkFilter(f conformance.Filter, list []*fixture.Fixture) error {
	var profiles, features []string
	for _, p := range fixture.Profiles() {
		profiles = append(profiles, p.Name)
		for _, x := range p.Features {
			features = append(features, x.Name)
		}
	}
	for _, x := range list {
		profiles = append(profiles, x.Spec.Profile)
		features = append(features, x.Spec.Features...)
	}
	for _, check := range []struct {
		flag          string
		given, choice []string
	}{
		{"profile", f.Profiles, profiles},
		{"feature", f.Features, features},
		{"level", f.Levels, []string{fixture.Required, fixture.Recommended, fixture.Reference}},
	} {
		slices.Sort(check.choice)
		for _, value := range check.given {
			if err := oneOf(check.flag, value, slices.Compact(check.choice)...); err != nil {
				return err
			}
		}
	}
	return checkNames(f.Names, list)
}

// checkNames refuses a name that no fixture of the list, or of the suite, has. Patterns may select nothing.
func checkNames(wanted []string, list []*fixture.Fixture) error {
	if len(wanted) == 0 {
		return nil
	}
	if list == nil {
		var err error
		if list, err = outlines(); err != nil {
			return err
		}
	}
	var names []string
	files := map[string]bool{} // those that have cases
	for _, f := range list {
		names = append(names, f.Name())
		if f.Case != "" && !files[f.Metadata.Name] {
			files[f.Metadata.Name] = true
			names = append(names, f.Metadata.Name)
		}
	}
	for _, name := range wanted {
		file, _, _ := strings.Cut(name, "[")
		pattern := strings.ContainsAny(name, "*?") || strings.Contains(name, "[") && !files[file]
		if _, err := path.Match(name, ""); pattern && err != nil {
			return &usageError{fmt.Errorf("--name %s: a [ without a ]; * matches any text, ? one letter, [ab] one of two", name)}
		}
		if pattern || slices.Contains(names, name) {
			continue
		}
		hint := "'plumbline fixture list' shows them; * matches any text"
		if near := source.Nearest(name, names); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		return notFound("--name %s: there is no such fixture; %s", name, hint)
	}
	return nil
}

// checkSeed refuses the seed that stands for none.
func checkSeed(seed uint64) error {
	if seed == 0 {
		return &usageError{errors.New("--seed 0: want a number of at least 1")}
	}
	return nil
}
