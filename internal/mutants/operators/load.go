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
	only    []string
}

type source struct {
	name string
	text []byte
}

// Load finds the changes of the pure packages named, in the module at root.
func Load(ctx context.Context, root string, names []string) ([]*Package, error) {
	var parts []Part
	for _, name := range names {
		parts = append(parts, Part{Package: name, Files: files(name)})
	}
	return LoadParts(ctx, root, parts)
}

// Part is a package, or some of its files, that is changed.
type Part struct {
	// Package is relative to the module's root.
	Package string
	// Files are the files that are changed; nil means all.
	Files []string
}

// LoadParts finds the changes of parts of the module at root. Each package has its own numbers, from 1 on.
func LoadParts(ctx context.Context, root string, parts []Part) ([]*Package, error) {
	var names []string
	for _, p := range parts {
		names = append(names, p.Package)
	}
	listed, exports, err := list(ctx, root, names)
	if err != nil {
		return nil, err
	}
	var out []*Package
	for _, part := range parts {
		name := part.Package
		i := slices.IndexFunc(listed, func(l listing) bool { return l.Dir == filepath.Join(root, filepath.FromSlash(name)) })
		if i < 0 {
			return nil, fmt.Errorf("there is no package %s", name)
		}
		p := &Package{Name: name, dir: listed[i].Dir, goName: listed[i].Name, exports: exports, only: part.Files}
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
	for i, s := range p.sources {
		if p.only != nil && !slices.Contains(p.only, s.name) {
			continue
		}
		f := &finder{source: s.text, offset: func(at token.Pos) int { return fset.Position(at).Offset }, info: info, pkg: pkg}
		f.find(parsed[i])
		slices.SortStableFunc(f.sites, func(a, b site) int { return int(a.pos - b.pos) })
		for _, found := range f.sites {
			at := fset.Position(found.pos)
			p.Mutations = append(p.Mutations, Mutation{
				ID: len(p.Mutations) + 1, File: p.Name + "/" + s.name, Line: at.Line, Column: at.Column,
				Function: found.function, Block: -1,
				Operator: found.operator, Before: found.before, After: found.after, site: found,
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
		w, err := p.weaveFile(s)
		if err != nil {
			return nil, err
		}
		out[s.name] = w
	}
	return out, nil
}

func (p *Package) weaveFile(s source, marks ...schemata.Edit) (schemata.Woven, error) {
	var faults []schemata.Fault
	for _, m := range p.Mutations {
		if m.File == p.Name+"/"+s.name {
			faults = append(faults, schemata.Fault{ID: m.ID, Edits: m.site.edits, Value: m.site.value})
		}
	}
	return schemata.Weave(s.name, s.text, faults, marks...)
}

// Number gives the changes the numbers from first on, so that those of several packages can be in one program. It returns
// the number behind the last.
func (p *Package) Number(first int) int {
	for i := range p.Mutations {
		p.Mutations[i].ID = first + i
	}
	return first + len(p.Mutations)
}

// Sources are the package's files with all its changes in them, and the files that switch one on and mark the blocks that
// are reached: the text by the absolute path of the file that it stands for.
func (p *Package) Sources() (map[string][]byte, error) {
	out := map[string][]byte{filepath.Join(p.dir, schemata.SwitchFile): schemata.Switch(p.goName)}
	blocks := 0
	for _, s := range p.sources {
		list, marks, err := schemata.Blocks(s.name, s.text, blocks)
		if err != nil {
			return nil, err
		}
		blocks += len(list)
		w, err := p.weaveFile(s, marks...)
		if err != nil {
			return nil, err
		}
		out[filepath.Join(p.dir, s.name)] = w.Source
		for i := range p.Mutations {
			if m := &p.Mutations[i]; m.File == p.Name+"/"+s.name {
				m.Block = innermost(list, m.site.edits[0].Start)
			}
		}
	}
	out[filepath.Join(p.dir, schemata.MarksFile)] = schemata.Marks(p.goName, p.Name, blocks)
	return out, nil
}

// innermost is the smallest block that holds an offset, or -1.
func innermost(list []schemata.Block, offset int) int {
	id, size := -1, 0
	for _, b := range list {
		if n := b.End - b.Start; b.Start <= offset && offset < b.End && (id < 0 || n < size) {
			id, size = b.ID, n
		}
	}
	return id
}
