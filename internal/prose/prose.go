// Package prose finds wording in this repository's comments, documents, messages and test names that reads like a
// word-for-word translation.
//
// words.txt has the patterns, each with what to write instead, and examples.txt what they must find and must not. The test
// checks every Go file and document.
package prose

import (
	_ "embed"
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

//go:embed words.txt
var words string

// pattern is wording to avoid.
type pattern struct {
	match   *regexp.Regexp
	instead string
}

// Checker finds wording.
type Checker struct{ patterns []pattern }

// New returns a checker with the patterns of words.txt.
func New() (*Checker, error) {
	c := &Checker{}
	for _, line := range Lines(words) {
		text, instead, ok := strings.Cut(line, "\t")
		if !ok {
			return nil, fmt.Errorf("words.txt: %q: want a pattern, a tab and what to write instead", line)
		}
		re, err := regexp.Compile(text)
		if err != nil {
			return nil, fmt.Errorf("words.txt: %w", err)
		}
		c.patterns = append(c.patterns, pattern{re, instead})
	}
	return c, nil
}

// Lines are the lines of a list, without comments and empty ones.
func Lines(list string) []string {
	var out []string
	for line := range strings.SplitSeq(list, "\n") {
		if line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}

// Finding is wording that a file has.
type Finding struct {
	Line          int
	Text, Instead string
}

// Text returns what a text has, whose first line has the number first.
func (c *Checker) Text(text string, first int) []Finding {
	var out []Finding
	n := first
	for line := range strings.SplitSeq(text, "\n") {
		for _, p := range c.patterns {
			if found := p.match.FindString(line); found != "" {
				out = append(out, Finding{n, strings.TrimSpace(found), p.instead})
			}
		}
		n++
	}
	return out
}

// File returns what a file has. Of a Go file, comments, texts in quotes and the names of tests are looked at.
func (c *Checker) File(name string, data []byte) []Finding {
	if !strings.HasSuffix(name, ".go") {
		return c.Text(string(data), 1)
	}
	set := token.NewFileSet()
	file := set.AddFile(name, -1, len(data))
	var s scanner.Scanner
	s.Init(file, data, nil, scanner.ScanComments)
	var out []Finding
	for {
		pos, tok, text := s.Scan()
		switch {
		case tok == token.EOF:
			return out
		case tok == token.COMMENT, tok == token.STRING, tok == token.IDENT && strings.HasPrefix(text, "Test"):
			out = append(out, c.Text(text, set.Position(pos).Line)...)
		}
	}
}

// skipped are folders without prose of ours: data of tests, what is built, and version control.
var skipped = map[string]bool{".git": true, "testdata": true, "bin": true, "node_modules": true}

// Files lists the files under a folder that are looked at, with slashes and relative to it.
func Files(root string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skipped[d.Name()]:
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".md"):
			return nil
		case strings.HasPrefix(d.Name(), "zz_generated."):
			return nil
		}
		rel, err := filepath.Rel(root, path)
		out = append(out, filepath.ToSlash(rel))
		return err
	})
	return out, err
}

// Read is [Checker.File] of a file on disk.
func (c *Checker) Read(root, name string) ([]Finding, error) {
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		return nil, err
	}
	return c.File(name, data), nil
}
