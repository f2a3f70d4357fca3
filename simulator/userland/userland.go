package userland

import (
	"fmt"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/image"
	"github.com/plumbline-ci/plumbline/simulator/userland/condition"
	"github.com/plumbline-ci/plumbline/simulator/userland/dates"
	"github.com/plumbline-ci/plumbline/simulator/userland/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/formatting"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
	"github.com/plumbline-ci/plumbline/simulator/userland/processes"
	"github.com/plumbline-ci/plumbline/simulator/userland/text"
)

// Programs returns all utilities as programs, by the names that images use: each as that of BusyBox, and as GNU's under
// the name that image.GNU gives.
func Programs() map[string]container.Program {
	out := make(map[string]container.Program, 128)
	for name, u := range table() {
		applet := kit.WithHelp(u)
		out[name] = func(p *container.Process) int { return applet(p, p.Args) }
		out[image.GNU(name)] = kit.AsGNU(kit.WithVersion(name, u))
	}
	out["busybox"] = func(p *container.Process) int { return multicall(p, out) }
	return out
}

// multicall is busybox by its own name: its first argument says which utility to be.
func multicall(p *container.Process, all map[string]container.Program) int {
	if name := kit.Base(p.Args[0]); name != "busybox" {
		if run := all[name]; run != nil {
			return run(p)
		}
	}
	if len(p.Args) < 2 {
		fmt.Fprintln(p.Stdout(), kit.Banner)
		return 0
	}
	if name := p.Args[1]; name == "sh" || name == "ash" {
		_ = p.Exec(append([]string{"/bin/sh"}, p.Args[2:]...), p.Env) // returns only if that cannot be executed
		return 127
	}
	run := all[p.Args[1]]
	if run == nil || p.Args[1] == "busybox" {
		fmt.Fprintf(p.Stderr(), "%s: applet not found\n", p.Args[1])
		return 127
	}
	p.Args = p.Args[1:]
	return run(p)
}

func table() map[string]kit.Utility {
	return map[string]kit.Utility{
		"[": condition.Test, "[[": condition.Test, "test": condition.Test, "true": func(*container.Process, []string) int { return 0 }, "false": func(*container.Process, []string) int { return 1 },
		"echo": formatting.Echo, "printf": formatting.Printf, "cat": text.Cat, "head": text.Head, "tail": text.Tail, "tee": text.Tee, "tr": text.Tr, "wc": text.Wc, "cut": text.Cut, "sort": text.SortLines, "uniq": text.Uniq,
		"grep": text.Grep, "egrep": text.Grep, "fgrep": text.Grep, "sed": text.Sed, "rev": text.Rev, "tac": text.Tac, "nl": text.Nl, "fold": text.Fold, "paste": text.Paste, "cmp": text.Cmp, "diff": text.Diff,
		"expr": text.Expr, "seq": text.Seq, "date": dates.Date, "sleep": processes.Sleep, "usleep": processes.Usleep, "touch": files.Touch, "mkdir": files.Mkdir, "rm": files.Rm,
		"rmdir": files.Rmdir, "mv": files.Mv, "cp": files.Cp, "ln": files.Ln, "ls": files.Ls, "chmod": files.Chmod, "chown": files.Chown, "chgrp": files.Chown, "stat": files.Stat, "find": files.Find, "xargs": processes.Xargs,
		"basename": files.Basename, "dirname": files.Dirname, "readlink": files.Readlink, "realpath": files.Realpath, "env": processes.Env, "printenv": processes.Printenv, "id": processes.Id, "whoami": processes.Whoami,
		"groups": processes.Id, "hostname": processes.Hostname, "uname": processes.Uname, "arch": processes.Uname, "pwd": processes.Pwd, "yes": text.Yes, "base64": text.Base64Tool,
		"md5sum": text.Checksum, "sha1sum": text.Checksum, "sha256sum": text.Checksum, "sha512sum": text.Checksum, "od": text.Od, "hexdump": text.Hexdump, "mktemp": files.Mktemp,
		"mkfifo": files.Mkfifo, "mount": files.Mount, "df": files.Df, "du": files.Du, "ps": processes.Ps, "pidof": processes.Pidof, "pgrep": processes.Pidof, "kill": processes.Kill, "timeout": processes.Timeout, "which": processes.Which,
		"dd": files.Dd, "awk": text.AwkTool, "jq": text.JqTool, "comm": text.Comm, "gzip": files.GzipTool, "gunzip": files.GzipTool, "zcat": files.GzipTool, "tar": files.TarMain,
		"nohup": processes.Become, "nice": processes.Become, "ionice": processes.Become, "setsid": processes.Become, "xxd": text.Xxd, "expand": text.Expand, "unexpand": text.Expand, "strings": text.StringsTool,
		"dos2unix": text.Unix, "unix2dos": text.Unix, "split": text.Split, "shuf": text.Shuf, "install": files.Install, "getopt": processes.Getopt, "cksum": text.Cksum, "mountpoint": files.Mountpoint,
		"nproc": processes.Nproc, "sync": func(*container.Process, []string) int { return 0 }, "tty": processes.Tty, "unlink": files.Unlink, "truncate": files.Truncate,
	}
}
