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
		if err := l.awaitFile(file, l.opts.waitContent, file+failedSuffix); err != nil {
			return err
		}
	}
	return nil
}

// awaitFile waits until file exists, with content if asked for, or until failed exists, which is errSkipped. An empty
// failed is not looked for.
func (l *launcher) awaitFile(file string, content bool, failed string) error {
	paths := []string{file}
	if failed != "" {
		paths = append(paths, failed)
	}
	sub, err := l.sys.Watcher.Watch(paths...)
	if err != nil {
		return fmt.Errorf("waiting for %q: %w", file, err)
	}
	defer sub.Close()
	for {
		info, err := l.sys.Files.Stat(file)
		if err == nil && (!content || info.Size() > 0) {
			return nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("waiting for %q: %w", file, err)
		}
		if failed != "" {
			if _, err := l.sys.Files.Stat(failed); err == nil {
				return errSkipped
			}
		}
		if err := sub.Wait(time.Time{}); err != nil {
			return fmt.Errorf("waiting for %q: %w", file, err)
		}
	}
}
