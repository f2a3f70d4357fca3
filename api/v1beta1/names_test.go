package v1beta1_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryNameIsUsed holds the constants of names.go against the code: a name that nothing uses lives on as a copy
// somewhere else, or is dead. Reasons are exempt, since the API has some that only a fixture or another release shows;
// conformance/reasons_test.go asks for a fixture, or an excuse, for each of them.
func TestEveryNameIsUsed(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "names.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	reason := regexp.MustCompile(`^(TaskRun|PipelineRun|Run|CustomRun)Reason|^Skipped`)
	used := identifiers(t, "../..")
	names := 0
	for _, decl := range file.Decls {
		if decl.(*ast.GenDecl).Tok != token.CONST {
			continue
		}
		for _, spec := range decl.(*ast.GenDecl).Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				names++
				if !used[name.Name] && !reason.MatchString(name.Name) {
					t.Errorf("%s is used nowhere: use it in place of its copies, or delete it", name.Name)
				}
			}
		}
	}
	if names < 50 {
		t.Errorf("only %d names were found", names)
	}
}

// identifiers returns the exported identifiers in the code below root, without those of names.go and of tests.
func identifiers(t *testing.T, root string) map[string]bool {
	t.Helper()
	word := regexp.MustCompile(`\b[A-Z]\w+`)
	comment := regexp.MustCompile(`(?m)//.*$`)
	out := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case d.IsDir(), !strings.HasSuffix(path, ".go"), strings.HasSuffix(path, "_test.go"), d.Name() == "names.go" && filepath.Base(filepath.Dir(path)) == "v1beta1":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, w := range word.FindAll(comment.ReplaceAll(text, nil), -1) {
			out[string(w)] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
