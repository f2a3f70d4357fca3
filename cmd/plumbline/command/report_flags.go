package command

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// reportUsage describes the flag that names files to write.
const reportUsage = "also write the report to a file: FORMAT=FILE, or FILE if its ending gives the format; may be repeated"

// outputFile is a file that a report is to be written to.
type outputFile struct{ format, name string }

// formatOf knows formats by the endings of files.
func formatOf(file string) (string, bool) {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".json":
		return render.FormatJSON, true
	case ".yaml", ".yml":
		return render.FormatYAML, true
	case ".xml":
		return render.FormatJUnit, true
	case ".md":
		return render.FormatMarkdown, true
	case ".html", ".htm":
		return render.FormatHTML, true
	case ".txt":
		return render.FormatTable, true
	}
	return "", false
}

// outputFiles reads the values of --report, before anything is run: a run whose report cannot be written is lost.
func outputFiles(values []string) ([]outputFile, error) {
	var out []outputFile
	for _, v := range values {
		format, file, given := strings.Cut(v, "=")
		if !given {
			file = v
			var known bool
			if format, known = formatOf(file); !known {
				return nil, &usageError{fmt.Errorf("--report %s: the file's ending does not give a format; write FORMAT=%s, with one of %s", v, file, strings.Join(render.Formats(), ", "))}
			}
		}
		if err := oneOf("report", format, render.Formats()...); err != nil {
			return nil, err
		}
		if file == "" || file == "-" {
			return nil, &usageError{fmt.Errorf("--report %s: want a file after the =; standard output is for -o", v)}
		}
		file = filepath.Clean(file)
		if slices.ContainsFunc(out, func(o outputFile) bool { return o.name == file }) {
			return nil, &usageError{fmt.Errorf("--report %s: %s is named twice", v, file)}
		}
		if info, err := os.Stat(filepath.Dir(file)); err != nil || !info.IsDir() {
			return nil, notFound("--report %s: there is no folder %s", v, filepath.Dir(file))
		}
		if err := writable(file); err != nil {
			return nil, &usageError{fmt.Errorf("--report %s: the report cannot be written: %w; choose another file", v, pathReason(err))}
		}
		out = append(out, outputFile{format, file})
	}
	return out, nil
}

// writable tries whether a file can be written, and leaves it as it was.
func writable(name string) error {
	info, missing := os.Stat(name)
	switch {
	case missing != nil && !errors.Is(missing, fs.ErrNotExist):
		return missing
	case missing == nil && info.IsDir():
		return errors.New("it is a folder")
	case missing == nil && !info.Mode().IsRegular():
		return nil // a pipe or a device would notice
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if missing != nil {
		return os.Remove(name)
	}
	return nil
}

// writeFiles writes a document to files, each in its format.
func writeFiles(files []outputFile, write func(w io.Writer, format string) error) error {
	var errs []error
	for _, f := range files {
		var b bytes.Buffer
		if err := write(&b, f.format); err != nil {
			return err
		}
		if err := os.WriteFile(f.name, b.Bytes(), 0o644); err != nil {
			errs = append(errs, fmt.Errorf("writing the report: %w", err))
		}
	}
	return errors.Join(errs...)
}

// reportWriter writes a report in any format. took is how long its fixtures took by the clock, where that is known: the
// report itself does not have it.
func reportWriter(r *reports.ConformanceReport, took map[string]time.Duration) func(w io.Writer, format string) error {
	return func(w io.Writer, format string) error {
		renderer, err := render.RendererFor(format)
		if err != nil {
			return err
		}
		if format == render.FormatJUnit {
			renderer = render.JUnit{Took: took}
		}
		return renderTo(renderer, w, r)
	}
}

// selecting are the flags of run that do not decide what one fixture sees, or that a sweep adds to its replay by itself.
func selecting(flag string) bool {
	return slices.Contains([]string{"output", "report", "quiet", "parallel", "name", "profile", "feature", "level", "brief", "selector", "policy", "seed", "seeds", "faults", "order"}, flag)
}

// replay returns the command that runs one fixture as this call did: every flag that was given and decides what the
// fixture sees, its name, and on virtual time the seed.
func replay(flags *pflag.FlagSet) func(name string, seed uint64) string {
	given := "plumbline run"
	virtual := true
	flags.Visit(func(f *pflag.Flag) {
		if selecting(f.Name) || f.Name == "time-limit" {
			return
		}
		if f.Name == "target" {
			virtual = f.Value.String() == fake.Name
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			switch {
			case f.Value.Type() == "bool":
				given += " --" + f.Name + "=" + v
			case f.Shorthand != "":
				given += " -" + f.Shorthand + " " + quoted(v)
			default:
				given += " --" + f.Name + " " + quoted(v)
			}
		}
	})
	return func(name string, seed uint64) string {
		text := given + " --name " + quoted(name)
		if virtual {
			text += " --seed " + strconv.FormatUint(seed, 10)
		}
		return text
	}
}

// quoted makes a word of a text that a shell would take apart.
func quoted(s string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:=,@+%", c)
	}
	if s != "" && strings.IndexFunc(s, func(c rune) bool { return !plain(c) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
