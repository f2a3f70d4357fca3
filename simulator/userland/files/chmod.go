package files

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Chmod is the utility chmod.
func Chmod(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	// A mode may begin with "-", as an option does.
	given := ""
	rest := args[1:]
	for len(rest) > 0 && len(rest[0]) > 1 && rest[0][0] == '-' && strings.Trim(rest[0][1:], "Rvcf") == "" {
		given += rest[0]
		rest = rest[1:]
	}
	deep := strings.Contains(given, "R")
	if len(rest) > 0 && strings.HasPrefix(rest[0], "--") {
		var ok bool
		if _, rest, ok = t.Options(args, "Rvcf", true, nil); !ok {
			return t.End()
		}
		given = string(t.Given)
		deep = strings.Contains(given, "R")
	}
	if t.Misused(rest, 2, -1) {
		return t.End()
	}
	if _, ok := (kit.Modes{GNU: t.GNU}).Parse(rest[0], 0); !ok {
		return t.Fail("invalid mode '%s'", rest[0])
	}
	var change func(name string)
	change = func(name string) {
		info, err := p.Stat(name)
		if err != nil {
			if t.Status = 1; !strings.Contains(given, "f") {
				t.Failed(name, err)
			}
			return
		}
		old := info.Perm()
		mode, _ := kit.Modes{IsDir: info.IsDir(), Umask: p.Umask, GNU: t.GNU}.Parse(rest[0], old)
		if err := p.Chmod(name, mode); err != nil {
			t.Failed(name, err)
		} else if strings.Contains(given, "v") || strings.Contains(given, "c") && mode != old {
			modeChanged(t, name, old)
		}
		if deep && info.IsDir() {
			entries, _ := p.ReadDir(name)
			for _, e := range entries {
				if e.Kind() != files.Symlink {
					change(strings.TrimSuffix(name, "/") + "/" + e.Name())
				}
			}
		}
	}
	for _, name := range rest[1:] {
		change(name)
	}
	return t.End()
}

// modeChanged reports a mode that was set.
func modeChanged(t *kit.Tool, name string, old uint16) {
	after, err := t.P.Stat(name)
	if err != nil {
		return
	}
	mode, now := after.Perm(), permissions(after)[1:]
	switch {
	case !t.GNU:
		fmt.Fprintf(t.Out, "mode of '%s' changed to %04o (%s)\n", name, mode, now)
	case mode == old:
		fmt.Fprintf(t.Out, "mode of '%s' retained as %04o (%s)\n", name, mode, now)
	default:
		fmt.Fprintf(t.Out, "mode of '%s' changed from %04o (%s) to %04o (%s)\n", name, old, modeText('-', old)[1:], mode, now)
	}
}

// Chown is the utilities chown and chgrp.
func Chown(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, rest, ok := t.Options(args, "cfhvHLPR", false, map[string]string{"recursive": "R", "verbose": "v", "quiet": "f", "silent": "f", "changes": "c",
		"no-dereference": "h", "dereference": "~"})
	if !ok || t.Misused(rest, 2, -1) {
		return t.End()
	}
	uid, gid := -1, -1
	user, group, hasGroup := strings.Cut(rest[0], ":")
	if t.Name == "chgrp" {
		user, group, hasGroup = "", rest[0], true
	}
	c := p.Container()
	if user != "" {
		if id, known := c.UserID(user); known {
			uid = int(id)
		} else if n, err := strconv.Atoi(user); err == nil {
			uid = n
		} else {
			return t.Fail("unknown user %s", user)
		}
	}
	if id, known := c.UserGroup(user); hasGroup && group == "" && known {
		gid = int(id)
	}
	if hasGroup && group != "" {
		if id, known := c.GroupID(group); known {
			gid = int(id)
		} else if n, err := strconv.Atoi(group); err == nil {
			gid = n
		} else {
			return t.Fail("unknown group %s", group)
		}
	}
	change := func(name string, follow bool) {
		if err := p.Chown(name, uid, gid, follow); err != nil {
			if t.Status = 1; !kit.Has(opts, 'f') {
				t.Failed(name, err)
			}
		} else if info, err := p.Lstat(name); err == nil && (kit.Has(opts, 'v') || kit.Has(opts, 'c')) && !t.GNU {
			fmt.Fprintf(t.Out, "changed ownership of '%s' to %d:%d\n", name, info.UID(), info.GID())
		}
	}
	for _, name := range rest[1:] {
		change(name, !kit.Has(opts, 'h'))
		if info, err := p.Lstat(name); kit.Has(opts, 'R') && err == nil && info.IsDir() {
			t.Walk(name, func(file string, _ *files.Info) { change(file, false) })
		}
	}
	return t.End()
}
