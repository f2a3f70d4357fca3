// Command differential compares the simulator with real shells and utilities on random scripts: see package
// internal/differential.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/internal/differential"
	"github.com/plumbline-ci/plumbline/internal/differential/script"
)

// The name that PLUMBLINE_REQUIRE lists where leaving the comparison out is a failure.
const (
	variableRequire = "PLUMBLINE_REQUIRE"
	name            = "differential"
)

func main() {
	n := flag.Int("n", 1000, "how many `scripts` of each dialect")
	seed := flag.Uint64("seed", 1, "the seed of the scripts")
	only := flag.String("only", "", "`dialects`, separated by commas: ash, bash, dash, utilities; all of them if empty")
	match := flag.String("grep", "", "leave out scripts that do not match this `expression`")
	workers := flag.Int("workers", 2, "how many scripts run at a time")
	shrink := flag.Int("shrink", 1000, "how many differences of a dialect to shrink")
	file := flag.String("scripts", "", "replay the scripts of this `file`: lines of {\"dialect\", \"script\"}")
	out := flag.String("o", "bin/differences.jsonl", "where the shrunk differences go")
	text := flag.String("try", "", "run one `script` of the dialect -only on both sides and print the outcomes")
	print := flag.Bool("print", false, "print the scripts and run nothing")
	flag.Parse()
	code, err := run(*n, *seed, *only, *match, *workers, *shrink, *file, *out, *text, *print)
	if err != nil {
		fmt.Fprintln(os.Stderr, "differential:", err)
		code = 2
	}
	os.Exit(code)
}

func run(n int, seed uint64, only, match string, workers, shrink int, file, out, text string, print bool) (int, error) {
	dialects, err := chosen(only)
	if err != nil {
		return 2, err
	}
	batches, err := batches(dialects, n, seed, match, file)
	if err != nil {
		return 2, err
	}
	if print {
		for _, d := range dialects {
			for i, s := range batches[d] {
				fmt.Printf("### %s %d: %s\n%s", d, i, strings.Join(s.Constructs, ", "), s.Text())
			}
		}
		return 0, nil
	}
	if err := differential.Available(); err != nil {
		fmt.Printf("differential: not run: %v\n", err)
		if slices.Contains(strings.Split(os.Getenv(variableRequire), ","), name) {
			return 1, nil
		}
		return 0, nil
	}
	if text != "" {
		return try(dialects[0], text)
	}
	code := 0
	var all []differential.Difference
	for _, d := range dialects {
		if len(batches[d]) == 0 {
			continue
		}
		started := time.Now()
		result, err := differential.Compare(batches[d], differential.Options{Workers: workers, Shrink: shrink, Progress: progress(string(d), len(batches[d]))})
		if err != nil {
			return 2, err
		}
		fmt.Printf("\n=== %s, in %v\n", d, time.Since(started).Round(time.Second))
		result.Print(os.Stdout, string(d))
		if file == "" && match == "" {
			result.PrintConstructs(os.Stdout, string(d))
		}
		all = append(all, result.Differences...)
		for _, violation := range result.Violations(d, file == "" && match == "") {
			fmt.Printf("\nFAILED: %s: %s\n", d, violation)
			code = 1
		}
	}
	return code, write(out, all)
}

func chosen(only string) ([]script.Dialect, error) {
	if only == "" {
		return script.Dialects(), nil
	}
	var out []script.Dialect
	for _, name := range strings.Split(only, ",") {
		d := script.Dialect(name)
		if !slices.Contains(script.Dialects(), d) {
			return nil, fmt.Errorf("-only: no dialect is called %q; there are %v", name, script.Dialects())
		}
		out = append(out, d)
	}
	return out, nil
}

// batches returns the scripts of each dialect: generated, or from a file.
func batches(dialects []script.Dialect, n int, seed uint64, match, file string) (map[script.Dialect][]script.Script, error) {
	expression, err := regexp.Compile(match)
	if err != nil {
		return nil, fmt.Errorf("-grep: %w", err)
	}
	out := map[script.Dialect][]script.Script{}
	add := func(s script.Script) {
		if slices.Contains(dialects, s.Dialect) && expression.MatchString(s.Text()) {
			out[s.Dialect] = append(out[s.Dialect], s)
		}
	}
	if file == "" {
		for _, d := range dialects {
			for i := range n {
				add(script.Generate(d, seed, uint64(i)))
			}
		}
		return out, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for i := 1; lines.Scan(); i++ {
		var line struct {
			Dialect script.Dialect `json:"dialect"`
			Script  string         `json:"script"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, i, err)
		}
		add(script.Script{Dialect: line.Dialect, Parts: strings.Split(strings.TrimSuffix(line.Script, "\n"), "\n")})
	}
	return out, lines.Err()
}

func try(d script.Dialect, text string) (int, error) {
	sim, real, err := differential.Try(d, text)
	if err != nil {
		return 2, err
	}
	for _, side := range []struct {
		name string
		o    any
	}{{"simulator", sim}, {"real", real}} {
		data, err := json.MarshalIndent(side.o, "", "  ")
		if err != nil {
			return 2, err
		}
		fmt.Printf("%s %s\n", side.name, data)
	}
	if !sim.Same(real) {
		fmt.Println("different")
		return 1, nil
	}
	fmt.Println("the same")
	return 0, nil
}

// progress prints a line now and then, to standard error.
func progress(title string, total int) func(done, different int) {
	last := time.Now()
	return func(done, different int) {
		if time.Since(last) > 30*time.Second {
			last = time.Now()
			fmt.Fprintf(os.Stderr, "%s: %d of %d, %d different\n", title, done, total, different)
		}
	}
}

func write(path string, all []differential.Difference) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(f)
	encoder.SetEscapeHTML(false)
	for _, d := range all {
		if err := encoder.Encode(d); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}
