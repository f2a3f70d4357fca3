package mutants

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/internal/mutants/schemata"
)

// Program is one build of cmd/plumbline, or of another program of the module, with many mutants in it, of which the
// environment switches one on.
type Program struct {
	Binary string
	// Faults are the numbers of the mutants in it, by name.
	Faults map[string]int
}

func (p Program) fault(m Mutant) (id int, ok bool) {
	if m.File == "" {
		return 0, p.Binary != ""
	}
	id, ok = p.Faults[m.Name]
	return id, ok
}

// tool is the command line tool.
const tool = "./cmd/plumbline"

// BuildProgram compiles cmd/plumbline, or Runner.Package, with all those mutants in it that lie in one function each; the others, and those of
// files that are embedded, will have to be built alone.
func (r Runner) BuildProgram(ctx context.Context, all []Mutant) (Program, error) {
	p := Program{Binary: filepath.Join(r.Dir, "plumbline-mutants"), Faults: map[string]int{}}
	byFile := map[string][]schemata.Fault{}
	names := map[int]string{}
	for i, m := range all {
		source, err := os.ReadFile(filepath.Join(r.Root, filepath.FromSlash(m.File)))
		if err != nil {
			return p, err
		}
		edit, err := m.edit(source)
		if err != nil {
			return p, err
		}
		if !strings.HasSuffix(m.File, ".go") {
			continue // what is embedded cannot be switched
		}
		names[i+1], p.Faults[m.Name] = m.Name, i+1
		byFile[m.File] = append(byFile[m.File], schemata.Fault{ID: i + 1, Edits: []schemata.Edit{edit}})
	}
	replace, woven := map[string]string{}, map[string]schemata.Woven{}
	put := func(file string, text []byte) error {
		to := replacement(r.Dir, file)
		replace[filepath.Join(r.Root, filepath.FromSlash(file))] = to
		return os.WriteFile(to, text, 0o600)
	}
	for _, file := range slices.Sorted(maps.Keys(byFile)) {
		source, err := os.ReadFile(filepath.Join(r.Root, filepath.FromSlash(file)))
		if err != nil {
			return p, err
		}
		w, err := schemata.Weave(file, source, byFile[file])
		if err != nil {
			return p, err
		}
		for _, id := range w.Left {
			delete(p.Faults, names[id])
		}
		clause, err := parser.ParseFile(token.NewFileSet(), file, source, parser.PackageClauseOnly)
		if err != nil {
			return p, err
		}
		woven[filepath.Base(replacement(r.Dir, file))] = w
		if err := put(file, w.Source); err != nil {
			return p, err
		}
		if err := put(filepath.ToSlash(filepath.Join(filepath.Dir(file), schemata.SwitchFile)), schemata.Switch(clause.Name.Name)); err != nil {
			return p, err
		}
	}
	overlay, err := schemata.Overlay(replace)
	if err != nil {
		return p, err
	}
	file := filepath.Join(r.Dir, "program.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		return p, err
	}
	// The limit is that of one mutant; this is a build of more.
	ctx, cancel := context.WithTimeout(ctx, 5*r.limit())
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "build", "-o", p.Binary, "-buildvcs=false", "-ldflags=-s -w", "-gcflags=-e", "-overlay", file, cmp.Or(r.Package, tool))
	cmd.Dir, cmd.WaitDelay, cmd.Env = r.Root, patience, append(os.Environ(), r.Environment...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return p, fmt.Errorf("the program with all faults does not compile: %w\n%s%s", err, blame(string(out), woven, names), lastLines(string(out), 20))
	}
	return p, nil
}

func replacement(dir, file string) string {
	return filepath.Join(dir, strings.ReplaceAll(file, "/", "-"))
}

var compileError = regexp.MustCompile(`([^\s/]+\.go):(\d+):\d+: `)

// blame names the mutants in whose copies of functions the compiler's errors are.
func blame(output string, woven map[string]schemata.Woven, names map[int]string) string {
	var b strings.Builder
	for _, m := range compileError.FindAllStringSubmatch(output, -1) {
		line, err := strconv.Atoi(m[2])
		if err != nil {
			continue
		}
		for file, w := range woven {
			// The compiler shows the file that is replaced, or the one that stands in its place.
			if file != m[1] && !strings.HasSuffix(file, "-"+m[1]) {
				continue
			}
			if id, ok := w.FaultAt(offsetOfLine(w.Source, line)); ok && !strings.Contains(b.String(), names[id]) {
				fmt.Fprintf(&b, "see the mutant %q\n", names[id])
			}
		}
	}
	return b.String()
}

func offsetOfLine(source []byte, line int) int {
	at := 0
	for range line - 1 {
		i := bytes.IndexByte(source[at:], '\n')
		if i < 0 {
			break
		}
		at += i + 1
	}
	return at
}
