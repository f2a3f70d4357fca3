package operators

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/plumbline-ci/plumbline/internal/mutants/schemata"
)

// Package is a package and every change of it that compiles.
type Package struct {
	// Name is relative to the module's root, as in Packages.
	Name      string
	Mutations []Mutation

	dir     string
	goName  string
	sources []source
	exports map[string]string
}

type source struct {
	name string
	text []byte
}

// Load finds the changes of packages of the module at root.
func Load(ctx context.Context, root string, names []string) ([]*Package, error) {
	listed, exports, err := list(ctx, root, names)
	if err != nil {
		return nil, err
	}
	var out []*Package
	for _, name := range names {
		i := slices.IndexFunc(listed, func(l listing) bool { return l.Dir == filepath.Join(root, filepath.FromSlash(name)) })
		if i < 0 {
			return nil, fmt.Errorf("there is no package %s", name)
		}
		p := &Package{Name: name, dir: listed[i].Dir, goName: listed[i].Name, exports: exports}
		for _, f := range listed[i].GoFiles {
			text, err := os.ReadFile(filepath.Join(p.dir, f))
			if err != nil {
				return nil, err
			}
			p.sources = append(p.sources, source{f, text})
		}
		if err := p.find(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, p)
	}
	return out, nil
}

// listing is what the go command says of a package.
type listing struct {
	Dir, ImportPath, Name, Export string
	GoFiles                       []string
	DepOnly                       bool
}

func list(ctx context.Context, root string, names []string) (packages []listing, exports map[string]string, err error) {
	args := []string{"list", "-deps", "-export", "-json=Dir,ImportPath,Name,Export,GoFiles,DepOnly"}
	for _, n := range names {
		args = append(args, "./"+n)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	data, err := cmd.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("go list: %w\n%s", err, stderr.Bytes())
	}
	exports = map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(data)); ; {
		var l listing
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			return packages, exports, nil
		} else if err != nil {
			return nil, nil, err
		}
		exports[l.ImportPath] = l.Export
		if !l.DepOnly {
			packages = append(packages, l)
		}
	}
}

// find lists what can be changed, and keeps what compiles.
func (p *Package) find() error {
	fset := token.NewFileSet()
	parsed := make([]*ast.File, len(p.sources))
	for i, s := range p.sources {
		var err error
		if parsed[i], err = parser.ParseFile(fset, s.name, s.text, parser.SkipObjectResolution); err != nil {
			return err
		}
	}
	imports := p.importer(fset)
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: imports}
	pkg, err := conf.Check(p.Name, fset, parsed, info)
	if err != nil {
		return err
	}
	only := files(p.Name)
	for i, s := range p.sources {
		if only != nil && !slices.Contains(only, s.name) {
			continue
		}
		f := &finder{source: s.text, offset: func(at token.Pos) int { return fset.Position(at).Offset }, info: info, pkg: pkg}
		f.find(parsed[i])
		slices.SortStableFunc(f.sites, func(a, b site) int { return int(a.pos - b.pos) })
		for _, found := range f.sites {
			at := fset.Position(found.pos)
			p.Mutations = append(p.Mutations, Mutation{
				ID: len(p.Mutations) + 1, File: p.Name + "/" + s.name, Line: at.Line, Column: at.Column,
				Function: found.function, Operator: found.operator, Before: found.before, After: found.after, site: found,
			})
		}
	}
	return p.keepCompiling(imports)
}

// importer reads the dependencies as the go command compiled them.
func (p *Package) importer(fset *token.FileSet) types.Importer {
	return importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		file := p.exports[path]
		if file == "" {
			return nil, fmt.Errorf("the go command has no export data of %s", path)
		}
		return os.Open(file)
	})
}

// keepCompiling drops the changes after which the package would not compile.
func (p *Package) keepCompiling(imports types.Importer) error {
	const rounds = 5
	for range rounds {
		fset := token.NewFileSet()
		woven, err := p.weave()
		if err != nil {
			return err
		}
		var parsed []*ast.File
		broken := map[int]bool{}
		for _, s := range p.sources {
			w := woven[s.name]
			for _, id := range w.Left {
				broken[id] = true
			}
			file, err := parser.ParseFile(fset, s.name, w.Source, parser.SkipObjectResolution|parser.AllErrors)
			if err != nil {
				return fmt.Errorf("a change is not valid Go: %w", err)
			}
			parsed = append(parsed, file)
		}
		sw, err := parser.ParseFile(fset, schemata.SwitchFile, schemata.Declarations(p.goName), parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		var elsewhere error
		conf := types.Config{Importer: imports, Error: func(err error) {
			var te types.Error
			if errors.As(err, &te) {
				at := fset.Position(te.Pos)
				if id, ok := woven[at.Filename].FaultAt(at.Offset); ok {
					broken[id] = true
					return
				}
			}
			elsewhere = errors.Join(elsewhere, err)
		}}
		// The errors went to conf.Error.
		_, _ = conf.Check(p.Name, fset, append(parsed, sw), nil)
		switch {
		case elsewhere != nil:
			return fmt.Errorf("type checking all changes: %w", elsewhere)
		case len(broken) == 0:
			return nil
		}
		p.Mutations = slices.DeleteFunc(p.Mutations, func(m Mutation) bool { return broken[m.ID] })
	}
	return fmt.Errorf("some changes still do not compile after %d rounds", rounds)
}

// weave puts all changes into the package's files.
func (p *Package) weave() (map[string]schemata.Woven, error) {
	out := map[string]schemata.Woven{}
	for _, s := range p.sources {
		var faults []schemata.Fault
		for _, m := range p.Mutations {
			if m.File == p.Name+"/"+s.name {
				faults = append(faults, schemata.Fault{ID: m.ID, Edits: m.site.edits, Value: m.site.value})
			}
		}
		w, err := schemata.Weave(s.name, s.text, faults)
		if err != nil {
			return nil, err
		}
		out[s.name] = w
	}
	return out, nil
}
