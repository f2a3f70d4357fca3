package kindcluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// recipe runs a script of the source, tells what it says, and returns what it prints.
func (w *work) recipe(ctx context.Context, script string, arguments ...string) (string, error) {
	source, err := w.Builder.Source(ctx)
	if err != nil {
		return "", err
	}
	path := filepath.Join(source, script)
	// Modules of their own, as the recipe's, are not part of what the module cache has.
	for _, needed := range []string{path, filepath.Join(source, "kindconfig", "assets", "kubernetes", "go.mod")} {
		if _, err := os.Stat(needed); err != nil {
			return "", &NoRecipeError{Source: source, Err: err}
		}
	}
	out, err := w.run(ctx, path, arguments...)
	if err != nil && ctx.Err() == nil {
		return "", fmt.Errorf("%s: %w", script, err)
	}
	return out, err
}

// run runs a script. The error is the reason of an interrupt, or how the script ended with the last that it said.
func (w *work) run(ctx context.Context, path string, arguments ...string) (string, error) {
	c := exec.CommandContext(ctx, "bash", append([]string{path}, arguments...)...)
	endWithChildren(c)
	says := &lines{tell: w.Tell}
	c.Stderr = says
	out, err := c.Output()
	says.flush()
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("%w (%s)", err, says.last)
	}
	return strings.TrimSpace(string(out)), nil
}

// lines tells what is written, line by line.
type lines struct {
	tell func(string)
	rest string
	last string
}

func (l *lines) Write(p []byte) (int, error) {
	l.rest += string(p)
	for {
		line, rest, whole := strings.Cut(l.rest, "\n")
		if !whole {
			return len(p), nil
		}
		l.line(line)
		l.rest = rest
	}
}

func (l *lines) flush() { l.line(l.rest) }

func (l *lines) line(text string) {
	if text = strings.TrimSpace(text); text != "" {
		l.last = text
		l.tell(text)
	}
}
