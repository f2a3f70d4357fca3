package entrypoint

import (
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// Suffixes of the files that stand beside a post file.
const (
	failedSuffix         = ".err"
	breakpointExitSuffix = ".breakpointexit"
)

// errSkipped says that a step before this one failed (EP-26).
var errSkipped = errors.New("a previous step failed")

// awaitTurn waits for each wait file in turn (EP-10…14).
func (l *launcher) awaitTurn() error {
	for _, file := range l.opts.waitFiles {
		if err := l.awaitFile(awaited{file: file, content: l.opts.waitContent, failed: file + failedSuffix}); err != nil {
			return err
		}
	}
	return nil
}

// awaited is what awaitFile waits for.
type awaited struct {
	// file is to exist, with content if that is asked for.
	file    string
	content bool
	// failed, if it exists, ends the waiting with errSkipped; empty is none.
	failed string
	// patience is how long content is waited for once the file exists; zero is for ever.
	patience time.Duration
}

// awaitFile waits for a file.
func (l *launcher) awaitFile(a awaited) error {
	paths := []string{a.file}
	if a.failed != "" {
		paths = append(paths, a.failed)
	}
	sub, err := l.sys.Watcher.Watch(paths...)
	if err != nil {
		return fmt.Errorf("waiting for %q: %w", a.file, err)
	}
	defer func() { _ = sub.Close() }()
	var deadline time.Time
	for {
		info, err := l.sys.Files.Stat(a.file)
		switch {
		case err == nil && (!a.content || info.Size() > 0):
			return nil
		case err == nil && a.patience > 0 && deadline.IsZero():
			deadline = l.sys.Clock.Now().Add(a.patience)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("waiting for %q: %w", a.file, err)
		}
		if a.failed != "" {
			if _, err := l.sys.Files.Stat(a.failed); err == nil {
				return errSkipped
			}
		}
		switch err := sub.Wait(deadline); {
		case errors.Is(err, ErrDeadline):
			return nil
		case err != nil:
			return fmt.Errorf("waiting for %q: %w", a.file, err)
		}
	}
}
