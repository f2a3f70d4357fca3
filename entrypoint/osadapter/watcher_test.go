//go:build unix

package osadapter

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/entrypoint"
)

// root is a directory without links in its path.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestHolders: everything on the way to a file that can come, go or be exchanged is in a directory that is watched.
func TestHolders(t *testing.T) {
	t.Parallel()
	dir := root(t)
	check(t, os.MkdirAll(dir+"/downward/..2", 0o755))
	check(t, os.WriteFile(dir+"/downward/..2/ready", nil, 0o644))
	check(t, os.Symlink("..2", dir+"/downward/..data"))
	check(t, os.Symlink("..data/ready", dir+"/downward/ready"))
	check(t, os.Symlink(dir+"/downward", dir+"/elsewhere"))
	check(t, os.Symlink("../nowhere/at/all", dir+"/downward/dangling"))
	check(t, os.Symlink("loop", dir+"/loop"))
	for _, tt := range []struct {
		reason, path string
		want         []string
	}{
		{"a file in a directory", "/downward/..2/ready", []string{"/downward/..2"}},
		{"a missing file", "/downward/missing", []string{"/downward"}},
		{"missing directories", "/a/b/c", []string{""}},
		{"the kubelet's links", "/downward/ready", []string{"/downward", "/downward", "/downward/..2"}},
		{"an absolute link on the way", "/elsewhere/x", []string{"", "/downward"}},
		{"a link to nothing", "/downward/dangling", []string{"/downward", ""}},
		{"a file on the way", "/downward/..2/ready/x", []string{"/downward/..2/ready"}},
	} {
		var want []string
		for _, w := range tt.want {
			want = append(want, dir+w)
		}
		if diff := cmp.Diff(want, holders(dir+tt.path)); diff != "" {
			t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
		}
	}
	if got := holders(dir + "/loop"); len(got) == 0 || len(got) > 50 {
		t.Errorf("a loop of links gives %d directories", len(got))
	}
}

// testWatcher is a watcher with signals of its own.
func testWatcher(polling bool) *watcher {
	return newWatcher(&signals{pending: make(chan entrypoint.Signal, 1)}, &retired{}, polling)
}

// awaitPath waits with the subscription until path exists, as the launcher does, and fails after a while.
func awaitPath(t *testing.T, s entrypoint.Subscription, path string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		if _, err := os.Stat(path); err == nil {
			return
		}
		if err := s.Wait(deadline); err != nil {
			t.Fatalf("waiting for %s: %v", path, err)
		}
	}
}

// TestSubscriptionFollowsDirectories: directories that come, go and come again on the way to a file are followed.
func TestSubscriptionFollowsDirectories(t *testing.T) {
	t.Parallel()
	for _, polling := range []bool{false, true} {
		dir := root(t)
		w := testWatcher(polling)
		sub, err := w.Watch(dir + "/a/b/c")
		check(t, err)
		s := sub.(*subscription)
		if want := !polling && carriesEvents(dir); (s.events != nil) != want {
			t.Errorf("%s: events %v, want %v", dir, s.events != nil, want)
		}
		for range 3 {
			check(t, os.MkdirAll(dir+"/a/b", 0o755))
			awaitPath(t, s, dir+"/a/b")
			check(t, os.RemoveAll(dir+"/a"))
			s.arm()
		}
		check(t, os.Mkdir(dir+"/other", 0o755))
		check(t, os.WriteFile(dir+"/other/c", nil, 0o644))
		check(t, os.Mkdir(dir+"/a", 0o755))
		awaitPath(t, s, dir+"/a")
		check(t, os.Symlink("../other", dir+"/a/b"))
		awaitPath(t, s, dir+"/a/b/c")
		check(t, s.Close())
	}
}

// TestNoEventIsLost: what happens between the subscription and the first wait ends that wait.
func TestNoEventIsLost(t *testing.T) {
	t.Parallel()
	dir := root(t)
	w := testWatcher(false)
	s, err := w.Watch(dir+"/sub/file", dir+"/file")
	check(t, err)
	check(t, os.WriteFile(dir+"/file", nil, 0o644))
	if err := s.Wait(time.Now().Add(30 * time.Second)); err != nil {
		t.Error(err)
	}
	check(t, s.Close())
}

// TestFallBackToPolling: a subscription that cannot have events, or loses them, polls, with pauses that grow to a bound,
// and finds what it waits for.
func TestFallBackToPolling(t *testing.T) {
	t.Parallel()
	none := func() (*fsnotify.Watcher, error) { return nil, syscall.EMFILE }
	for _, tt := range []struct {
		reason string
		edit   func(*watcher)
		lose   func(*subscription) error
	}{
		{"no inotify instance is left", func(w *watcher) { w.open = none }, nil},
		{"the file system carries no events", func(w *watcher) { w.carries = func(string) bool { return false } }, nil},
		{"no directory can be watched", func(w *watcher) { w.open = closedEvents }, nil},
		{"the kernel takes the instance away", func(*watcher) {}, func(s *subscription) error { return s.events.Close() }},
		{"reading events fails", func(*watcher) {}, func(s *subscription) error { s.events.Errors <- syscall.EIO; return nil }},
	} {
		dir := root(t)
		w := testWatcher(false)
		w.carries = func(string) bool { return true }
		tt.edit(w)
		sub, err := w.Watch(dir + "/file")
		check(t, err)
		s := sub.(*subscription)
		if got := s.events != nil; got != (tt.lose != nil) {
			t.Errorf("%s: events %v at the start", tt.reason, got)
		}
		lost := make(chan error, 1)
		go func() {
			if tt.lose == nil {
				lost <- nil
				return
			}
			lost <- tt.lose(s)
		}()
		for range 8 {
			check(t, s.Wait(time.Time{}))
		}
		check(t, <-lost)
		if s.events != nil || s.pause != longestPause {
			t.Errorf("%s: events %v, pause %s, want none and %s", tt.reason, s.events != nil, s.pause, longestPause)
		}
		check(t, os.WriteFile(dir+"/file", nil, 0o644))
		awaitPath(t, s, dir+"/file")
		check(t, s.Close())
		w.retired.close()
	}
}

// closedEvents is a source of events that can watch nothing.
func closedEvents() (*fsnotify.Watcher, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	return w, w.Close()
}

// TestOverflowWakesTheSubscription: the kernel drops events when there are too many; the subscription looks, and stays
// awake.
func TestOverflowWakesTheSubscription(t *testing.T) {
	t.Parallel()
	w := testWatcher(false)
	w.carries = func(string) bool { return true }
	sub, err := w.Watch(root(t) + "/file")
	check(t, err)
	s := sub.(*subscription)
	go func() { s.events.Errors <- fsnotify.ErrEventOverflow }()
	check(t, s.Wait(time.Time{}))
	if s.events == nil {
		t.Error("it gave up on events")
	}
	check(t, s.Close())
	w.retired.close()
}

// TestWaitEnds: by a deadline that has come, and by a signal.
func TestWaitEnds(t *testing.T) {
	t.Parallel()
	for _, polling := range []bool{false, true} {
		w := testWatcher(polling)
		signals := w.signals
		s, err := w.Watch()
		check(t, err)
		if err := s.Wait(time.Unix(0, 0)); !errors.Is(err, entrypoint.ErrDeadline) {
			t.Errorf("deadline: %v", err)
		}
		signals.dispatch(syscall.SIGURG) // the runtime's own
		signals.dispatch(syscall.SIGTERM)
		signals.dispatch(syscall.SIGINT) // one is enough
		var interrupted *entrypoint.Interrupted
		if err := s.Wait(time.Time{}); !errors.As(err, &interrupted) || interrupted.Signal != entrypoint.SIGTERM {
			t.Errorf("signal: %v", err)
		}
		if len(signals.pending) != 0 {
			t.Error("a signal is left")
		}
	}
}

// TestSignalBeforeTheCommand: a signal that arrives just before the command is started reaches the command.
func TestSignalBeforeTheCommand(t *testing.T) {
	t.Parallel()
	s := &signals{pending: make(chan entrypoint.Signal, 1)}
	s.dispatch(syscall.SIGTERM)
	var got []syscall.Signal
	check(t, s.handOver(func() (func(syscall.Signal), error) {
		return func(sig syscall.Signal) { got = append(got, sig) }, nil
	}))
	s.dispatch(syscall.SIGUSR1)
	s.dispatch(syscall.SIGCHLD)
	s.takeBack()
	s.dispatch(syscall.SIGUSR2)
	if diff := cmp.Diff([]syscall.Signal{syscall.SIGTERM, syscall.SIGUSR1}, got); diff != "" {
		t.Error(diff)
	}
}
