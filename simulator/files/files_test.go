package files_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/simulator/files"
)

func clock() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

func newVolume() *files.Volume { return files.NewVolume(clock, files.Options{}) }

func caller(v *files.Volume, mounts ...files.Mount) *files.Caller {
	view := files.NewView(v, false, 0, func(b []byte) { clear(b) })
	for _, m := range mounts {
		if err := view.Mount(m); err != nil {
			panic(err)
		}
	}
	return &files.Caller{View: view, Dir: "/", Umask: 0o022}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		do   func(c *files.Caller) error
		want syscall.Errno
	}{
		{"nothing there", func(c *files.Caller) error { _, err := c.Stat("/no"); return err }, syscall.ENOENT},
		{"a file is not a directory", func(c *files.Caller) error { _, err := c.Stat("/f/x"); return err }, syscall.ENOTDIR},
		{"a slash asks for a directory", func(c *files.Caller) error { _, err := c.Stat("/f/"); return err }, syscall.ENOTDIR},
		{"links in a circle", func(c *files.Caller) error { _, err := c.Stat("/loop"); return err }, syscall.ELOOP},
		{"a link to nothing", func(c *files.Caller) error { _, err := c.Stat("/dangling"); return err }, syscall.ENOENT},
		{"a link to nothing exists itself", func(c *files.Caller) error { _, err := c.Lstat("/dangling"); return err }, 0},
		{"a file for writing is not a directory", func(c *files.Caller) error { return c.WriteFile("/d", nil, 0o644) }, syscall.EISDIR},
		{"a directory in use", func(c *files.Caller) error { return c.Rmdir("/d") }, syscall.ENOTEMPTY},
		{"a mount point", func(c *files.Caller) error { return c.Rmdir("/ro") }, syscall.EBUSY},
		{"read-only mount", func(c *files.Caller) error { return c.WriteFile("/ro/x", nil, 0o644) }, syscall.EROFS},
		{"read-only mount, through a link", func(c *files.Caller) error { return c.Mkdir("/toro/x", 0o755) }, syscall.EROFS},
		{"across mounts", func(c *files.Caller) error { return c.Rename("/f", "/rw/f") }, syscall.EXDEV},
		{"hard link across mounts", func(c *files.Caller) error { return c.Link("/f", "/rw/f") }, syscall.EXDEV},
		{"into itself", func(c *files.Caller) error { return c.Rename("/d", "/d/e/f") }, syscall.EINVAL},
		{"there already", func(c *files.Caller) error { return c.Mkdir("/d", 0o755) }, syscall.EEXIST},
		{"no right to write", func(c *files.Caller) error { c.UID = 7; return c.WriteFile("/f", nil, 0o644) }, syscall.EACCES},
		{"no right to enter", func(c *files.Caller) error { c.UID = 7; _, err := c.Stat("/secret/x"); return err }, syscall.EACCES},
		{"no right to make", func(c *files.Caller) error { c.UID = 7; return c.Mkdir("/x", 0o755) }, syscall.EACCES},
		{"another user's file in a sticky directory", func(c *files.Caller) error { c.UID = 7; return c.Unlink("/tmp/root") }, syscall.EPERM},
		{"the mode of another user's file", func(c *files.Caller) error { c.UID = 7; return c.Chmod("/f", 0o777) }, syscall.EPERM},
		{"not executable", func(c *files.Caller) error { return c.Executable("/f") }, syscall.EACCES},
		{"a name too long", func(c *files.Caller) error { return c.Mkdir("/"+strings.Repeat("x", 256), 0o755) }, syscall.ENAMETOOLONG},
		{"full", func(c *files.Caller) error { return c.WriteFile("/small/f", make([]byte, 11), 0o644) }, syscall.ENOSPC},
		{"not quite full", func(c *files.Caller) error { return c.WriteFile("/small/f", make([]byte, 10), 0o644) }, 0},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			v := newVolume()
			c := caller(v, files.Mount{Volume: newVolume(), Path: "/ro", ReadOnly: true}, files.Mount{Volume: newVolume(), Path: "/rw"},
				files.Mount{Volume: files.NewVolume(clock, files.Options{Limit: 10}), Path: "/small"})
			for _, err := range []error{v.WriteFile("f", []byte("data"), 0o644), v.WriteFile("d/e/g", nil, 0o644), v.Symlink("loop", "loop"),
				v.Symlink("nothing", "dangling"), v.Symlink("ro", "toro"), v.MkdirAll("secret", 0o700), v.MkdirAll("tmp", 0o777|fs.ModeSticky),
				v.WriteFile("tmp/root", nil, 0o644), v.MkdirAll("/", 0o755)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			if got := files.Errno(r.do(c)); got != r.want {
				t.Errorf("got %v, want %v", got, r.want)
			}
		})
	}
}

func TestErrorsAreLikeThoseOfPackageOs(t *testing.T) {
	t.Parallel()
	_, err := caller(newVolume()).Stat("/no")
	var pe *fs.PathError
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &pe) || pe.Path != "/no" || files.Message(err) != "No such file or directory" {
		t.Errorf("got %#v", err)
	}
}

func TestOverlayDoesNotChangeTheLowerVolume(t *testing.T) {
	t.Parallel()
	lower := newVolume()
	for name, text := range map[string]string{"etc/a": "a", "etc/b": "b", "bin/x": "x"} {
		if err := lower.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	one, two := caller(files.NewOverlay(clock, lower, files.Options{})), caller(files.NewOverlay(clock, lower, files.Options{}))
	h, err := one.Open("/etc/a", files.Append, 0)
	if err != nil {
		t.Fatal(err)
	}
	h.Write([]byte("+"))
	for _, err := range []error{one.Unlink("/etc/b"), one.WriteFile("/etc/c", []byte("c"), 0o644), one.Rename("/bin", "/sbin"), one.WriteFile("/etc/b", []byte("new"), 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	list := func(c *files.Caller) string {
		out := ""
		for _, dir := range []string{"/", "/etc", "/sbin"} {
			entries, _ := c.ReadDir(dir)
			for _, e := range entries {
				data, _ := c.ReadFile(dir + "/" + e.Name())
				out += fmt.Sprintf("%s/%s=%s ", dir, e.Name(), data)
			}
		}
		return out
	}
	if d := cmp.Diff("//etc= //sbin= /etc/a=a+ /etc/b=new /etc/c=c /sbin/x=x ", list(one)); d != "" {
		t.Errorf("the changed one (-want +got): %s", d)
	}
	if d := cmp.Diff("//bin= //etc= /etc/a=a /etc/b=b ", list(two)); d != "" {
		t.Errorf("the other one (-want +got): %s", d)
	}
	if err := lower.WriteFile("x", nil, 0o644); files.Errno(err) != syscall.EROFS {
		t.Errorf("writing to the frozen volume: %v", err)
	}
}

func TestProjectionSwapsAtOnce(t *testing.T) {
	t.Parallel()
	v := newVolume()
	project := func(m map[string]files.Projected) {
		t.Helper()
		if err := v.Project(m); err != nil {
			t.Fatal(err)
		}
	}
	project(map[string]files.Projected{"ready": {}, "a/b": {Data: []byte("1")}, "old": {}})
	c := caller(newVolume(), files.Mount{Volume: v, Path: "/v", ReadOnly: true})
	woken := 0
	sub := c.Watch(func() { woken++ }, "/v/ready")
	before, _ := c.Readlink("/v/..data")
	project(map[string]files.Projected{"ready": {Data: []byte("READY")}, "a/b": {Data: []byte("2")}})
	after, _ := c.Readlink("/v/..data")
	data, err := c.ReadFile("/v/ready")
	if string(data) != "READY" || err != nil || woken == 0 || before == after {
		t.Errorf("data %q err %v woken %d; %s → %s", data, err, woken, before, after)
	}
	if _, err := c.Stat("/v/" + before); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old directory is still there: %v", err)
	}
	if _, err := c.Lstat("/v/old"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is no longer projected: %v", err)
	}
	sub.Close()
	seen := woken
	project(nil)
	if woken != seen {
		t.Error("a closed subscription was called")
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		path   string
		change func(c *files.Caller) error
		want   bool
	}{
		{"the file is made", "/run/0/out", func(c *files.Caller) error { return c.WriteFile("/run/0/out", nil, 0o644) }, true},
		{"its directory is made", "/run/1/out", func(c *files.Caller) error { return c.Mkdir("/run/1", 0o755) }, true},
		{"it is written", "/f", func(c *files.Caller) error { return c.WriteFile("/f", []byte("x"), 0o644) }, true},
		{"it is renamed over", "/f", func(c *files.Caller) error { return c.Rename("/g", "/f") }, true},
		{"its mode changes", "/f", func(c *files.Caller) error { return c.Chmod("/f", 0o600) }, true},
		{"a link on the way is exchanged", "/link/x", func(c *files.Caller) error { return c.Unlink("/link") }, true},
		{"the target of a link changes", "/link/x", func(c *files.Caller) error { return c.WriteFile("/run/0/x", nil, 0o644) }, true},
		{"something in a directory", "/run/0", func(c *files.Caller) error { return c.WriteFile("/run/0/y", nil, 0o644) }, true},
		{"something else", "/f", func(c *files.Caller) error { return c.WriteFile("/run/0/y", nil, 0o644) }, false},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			c := caller(newVolume(), files.Mount{Volume: newVolume(), Path: "/run/0"})
			for _, err := range []error{c.WriteFile("/f", nil, 0o644), c.WriteFile("/g", nil, 0o644), c.Symlink("/run/0", "/link")} {
				if err != nil {
					t.Fatal(err)
				}
			}
			woken := false
			c.Watch(func() { woken = true }, r.path)
			if err := r.change(c); err != nil {
				t.Fatal(err)
			}
			if woken != r.want {
				t.Errorf("woken %v, want %v", woken, r.want)
			}
		})
	}
}

func TestMountsHideAndSubPaths(t *testing.T) {
	t.Parallel()
	v := newVolume()
	if err := v.WriteFile("sub/dir/f", []byte("in"), 0o644); err != nil {
		t.Fatal(err)
	}
	single := newVolume()
	if err := single.WriteFile("log", []byte("L"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := caller(newVolume(), files.Mount{Volume: newVolume(), Path: "/workspace"}, files.Mount{Volume: v, Path: "/workspace/src", SubPath: "sub/dir"},
		files.Mount{Volume: single, Path: "/dev/termination-log", SubPath: "log"})
	if data, err := c.ReadFile("/workspace/src/f"); string(data) != "in" || err != nil {
		t.Errorf("through a subPath: %q %v", data, err)
	}
	if p, err := c.RealPath("/workspace/src/../src/./f"); p != "/workspace/src/f" || err != nil {
		t.Errorf("real path %q %v", p, err)
	}
	if err := c.WriteFile("/dev/termination-log", []byte("done"), 0o644); err != nil {
		t.Fatal(err)
	}
	if data, _ := single.ReadFile("log"); string(data) != "done" {
		t.Errorf("a file that is a mount: %q", data)
	}
	if err := c.View.Mount(files.Mount{Volume: v, Path: "/x", SubPath: "../y"}); err == nil {
		t.Error("a subPath may leave its volume")
	}
}

func FuzzWalk(f *testing.F) {
	f.Add("/a/../b/./c//", "x/../../y")
	f.Fuzz(func(t *testing.T, name, target string) {
		c := caller(newVolume())
		_ = c.MkdirAll("/a/b", 0o755)
		_ = c.Symlink(target, "/a/l")
		_ = c.WriteFile(name, []byte("x"), 0o644)
		_, _ = c.Stat(name + "/a/l/x")
		_, _ = c.RealPath("/a/l")
		_ = c.Rename("/a", name)
		_ = c.Remove(name)
	})
}
