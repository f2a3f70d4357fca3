//plumbline:adapter the launcher on a real operating system

package osadapter

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/plumbline-ci/plumbline/entrypoint"
)

// Bounds of the pauses between two looks of a subscription that polls; each is half to once as long.
const (
	shortestPause = time.Millisecond
	longestPause  = 50 * time.Millisecond
)

// watcher waits for file events and signals.
type watcher struct {
	signals *signals
	retired *retired
	// open makes a source of events; nil is to wait by polling.
	open func() (*fsnotify.Watcher, error)
	// carries reports whether changes in a directory make events.
	carries func(dir string) bool
}

var _ entrypoint.Watcher = (*watcher)(nil)

func newWatcher(s *signals, r *retired, polling bool) *watcher {
	w := &watcher{signals: s, retired: r, open: fsnotify.NewWatcher, carries: carriesEvents}
	if polling {
		w.open = nil
	}
	return w
}

// Watch never fails: without events it polls.
func (w *watcher) Watch(paths ...string) (entrypoint.Subscription, error) {
	s := &subscription{watcher: w, pause: shortestPause}
	if len(paths) == 0 {
		return s, nil
	}
	for _, p := range paths {
		full, err := filepath.Abs(p)
		if err != nil {
			return nil, err
		}
		s.paths = append(s.paths, full)
	}
	if w.open != nil {
		if events, err := w.open(); err == nil {
			s.events = events
			s.arm()
		}
	}
	return s, nil
}

// subscription waits for changes of some paths: by events, by polling if it has none, or not at all without paths.
type subscription struct {
	*watcher
	paths  []string
	events *fsnotify.Watcher
	pause  time.Duration
}

// Wait implements [entrypoint.Subscription].
func (s *subscription) Wait(deadline time.Time) error {
	var changed <-chan fsnotify.Event
	var failed <-chan error
	var again, expired <-chan time.Time
	switch {
	case s.events != nil:
		changed, failed = s.events.Events, s.events.Errors
	case len(s.paths) > 0:
		// The launchers of a Pod start together. If their pauses kept step, each would always look just before the
		// one ahead of it is done.
		timer := time.NewTimer(s.pause/2 + rand.N(s.pause/2))
		defer timer.Stop()
		again = timer.C
		s.pause = min(2*s.pause, longestPause)
	}
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case sig := <-s.signals.pending:
		return &entrypoint.Interrupted{Signal: sig}
	case <-expired:
		return entrypoint.ErrDeadline
	case <-again:
		return nil
	case _, open := <-changed:
		if !open {
			s.poll()
		} else {
			s.arm()
		}
		return nil
	case err := <-failed:
		if !errors.Is(err, fsnotify.ErrEventOverflow) { // lost events are a reason to look, as events are
			s.poll()
		} else {
			s.arm()
		}
		return nil
	}
}

// Close implements [entrypoint.Subscription].
func (s *subscription) Close() error {
	s.poll()
	return nil
}

// poll gives up on events.
func (s *subscription) poll() {
	if s.events != nil {
		s.retired.add(s.events)
		s.events = nil
	}
}

// retired are sources of events that are no longer needed. The kernel takes up to 20 ms to close an inotify instance, and
// the process that drops the last descriptor has to wait: closed before the command starts, that would be the command, in
// the middle of its exec. So they are closed after the command's start, or by the launcher's end.
type retired struct {
	mu     sync.Mutex
	events []*fsnotify.Watcher
}

func (r *retired) add(w *fsnotify.Watcher) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, w)
}

func (r *retired) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.events {
		_ = w.Close() // there is nothing to lose
	}
	r.events = nil
}

// arm watches all directories where something can happen that concerns the paths. Directories come and go, and links
// are exchanged, so it looks again after each event; and it looks again after each addition, because what happened
// before the addition has made no event.
func (s *subscription) arm() {
	const rounds = 100 // a tree that changes faster than it can be read is polled
	for range rounds {
		if s.events == nil {
			return
		}
		var missing []string
		watched := s.events.WatchList()
		for _, dir := range s.directories() {
			if !slices.Contains(watched, dir) {
				missing = append(missing, dir)
			}
		}
		if len(missing) == 0 {
			return
		}
		for _, dir := range missing {
			if !s.carries(dir) {
				s.poll()
				return
			}
			if err := s.events.Add(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
				s.poll()
				return
			}
		}
	}
	s.poll()
}

// directories are those that hold a part of a path that may come, go or be exchanged.
func (s *subscription) directories() []string {
	var dirs []string
	for _, path := range s.paths {
		dirs = append(dirs, holders(path)...)
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// holders follows path as far as it exists and returns, without links in them, the directories that hold its links,
// its first missing part, or else its last part.
func holders(path string) []string {
	const maxLinks = 40
	var held []string
	root := filepath.VolumeName(path) + string(filepath.Separator)
	at, links := root, 0
	rest := split(path[len(root):])
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		if part == ".." {
			at = filepath.Dir(at)
			continue
		}
		next := filepath.Join(at, part)
		info, err := os.Lstat(next)
		if err != nil {
			return append(held, at)
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			held = append(held, at)
			target, err := os.Readlink(next)
			if links++; err != nil || links > maxLinks {
				return held
			}
			if filepath.IsAbs(target) {
				at = root
			}
			rest = append(split(target), rest...)
			continue
		}
		if len(rest) == 0 {
			held = append(held, at)
		}
		at = next
	}
	return held
}

// split is the parts of a path that matter.
func split(path string) []string {
	return slices.DeleteFunc(strings.Split(filepath.ToSlash(path), "/"), func(part string) bool {
		return part == "" || part == "."
	})
}
