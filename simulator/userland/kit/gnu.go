package kit

import (
	"maps"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// An image has BusyBox's utilities or GNU's. Both are the same programs here, under two names: "sort" refuses what the
// sort of BusyBox 1.35 refuses, with its words and exit code; "sort.gnu" (image.GNU) also takes what GNU's sort takes
// and build steps use. Both print what BusyBox prints, except where a comment says otherwise.

// gnuTools is the state of a process that runs the GNU version of a utility.
type GNUTools struct{}

// AsGNU makes a utility its GNU version.
func AsGNU(u Utility) container.Program {
	return func(p *container.Process) int {
		p.State = GNUTools{}
		return u(p, p.Args)
	}
}

// further are options that GNU's version has and BusyBox's does not have.
type further struct {
	letters string
	long    map[string]string
}

// family is the name by which a utility's options are found.
func family(name string) string {
	switch name {
	case "egrep", "fgrep":
		return "grep"
	case "gunzip", "zcat":
		return "gzip"
	case "md5sum", "sha1sum", "sha256sum", "sha512sum":
		return "sum"
	case "chgrp":
		return "chown"
	}
	return name
}

// gnuOptions are the options that GNU's utilities take and BusyBox's do not, as far as they make no difference here or
// are carried out. All others are refused.
var gnuOptions = map[string]further{
	"basename": {"z", map[string]string{"multiple": "a", "suffix": "s:", "zero": "z"}},
	"dirname":  {"z", map[string]string{"zero": "z"}},
	"base64":   {"D", map[string]string{"decode": "d", "wrap": "w:", "ignore-garbage": "i"}},
	"cat":      {"", map[string]string{"number": "n", "show-all": "A", "number-nonblank": "b", "squeeze-blank": "s", "show-ends": "E", "show-tabs": "T", "show-nonprinting": "v"}},
	"chmod":    {"", map[string]string{"recursive": "R", "verbose": "v", "quiet": "f", "silent": "f", "changes": "c"}},
	"chown":    {"", map[string]string{"recursive": "R", "verbose": "v", "quiet": "f", "silent": "f", "changes": "c", "no-dereference": "h"}},
	"cp": {"", map[string]string{"parents": "/", "force": "f", "verbose": "v", "no-clobber": "n", "preserve": "p?", "update": "u?", "dereference": "L",
		"no-dereference": "P", "link": "l", "symbolic-link": "s", "target-directory": "t:", "no-target-directory": "T"}},
	"cut":  {"", map[string]string{"output-delimiter": "O:", "fields": "f:", "delimiter": "d:", "characters": "c:", "bytes": "b:", "only-delimited": "s"}},
	"date": {"", map[string]string{"iso-8601": "I?", "rfc-3339": "3:", "rfc-email": "R", "universal": "u"}},
	"diff": {"d", map[string]string{"recursive": "r", "ignore-all-space": "w", "ignore-space-change": "b", "ignore-blank-lines": "B", "ignore-case": "i",
		"new-file": "N", "text": "a", "color": "a?"}},
	"du":     {"", map[string]string{"summarize": "s", "human-readable": "h", "all": "a", "max-depth": "d:", "bytes": "b", "total": "c"}}, //nolint:misspell // GNU's word
	"df":     {"", map[string]string{"human-readable": "h", "portability": "P", "all": "a", "inodes": "i", "print-type": "T"}},
	"env":    {"C:v", map[string]string{"chdir": "C:", "debug": "v"}},
	"expand": {"a", map[string]string{"all": "a"}},
	"grep": {"GPUI", map[string]string{"quiet": "q", "silent": "q", "ignore-case": "i", "invert-match": "v", "only-matching": "o", "count": "c", "line-number": "n",
		"recursive": "r", "dereference-recursive": "R", "extended-regexp": "E", "fixed-strings": "F", "basic-regexp": "G", "perl-regexp": "P", "files-with-matches": "l",
		"files-without-match": "L", "word-regexp": "w", "line-regexp": "x", "regexp": "e:", "file": "f:", "max-count": "m:", "no-filename": "h", "with-filename": "H",
		"colour": "a?", "text": "a", "no-messages": "s", "after-context": "A:", "before-context": "B:", "context": "C:", "null-data": "z", "include": "1:", "exclude": "2:",
		"exclude-dir": "3:", "line-buffered": "a"}},
	"gzip":     {"", map[string]string{"decompress": "d", "uncompress": "d", "keep": "k"}},
	"head":     {"", map[string]string{"lines": "n:", "bytes": "c:", "quiet": "q", "silent": "q", "verbose": "v"}},
	"id":       {"", map[string]string{"user": "u", "group": "g", "name": "n", "groups": "G", "real": "r"}},
	"install":  {"", map[string]string{"mode": "m:", "directory": "d", "owner": "o:", "group": "g:", "target-directory": "t:"}},
	"ln":       {"rt:", map[string]string{"symbolic": "s", "relative": "r", "force": "f", "no-dereference": "n", "verbose": "v", "target-directory": "t:", "no-target-directory": "T"}},
	"ls":       {"oUNG", map[string]string{"time-style": "^:", "all": "a", "almost-all": "A", "human-readable": "h", "recursive": "R", "reverse": "r", "directory": "d", "inode": "i", "size": "s"}},
	"mkdir":    {"", map[string]string{"verbose": "v"}},
	"mktemp":   {"", map[string]string{"suffix": "S:", "tmpdir": "p?", "directory": "d", "quiet": "q", "dry-run": "u"}},
	"mv":       {"", map[string]string{"force": "f", "no-clobber": "n", "verbose": "v", "target-directory": "t:", "no-target-directory": "T", "interactive": "i"}},
	"paste":    {"", map[string]string{"delimiters": "d:", "serial": "s"}},
	"readlink": {"em", map[string]string{"canonicalize": "f", "canonicalize-existing": "e", "canonicalize-missing": "m", "no-newline": "n", "verbose": "v", "quiet": "q"}},
	"realpath": {"emsqz", map[string]string{"relative-to": "r:", "relative-base": "b:", "canonicalize-existing": "e", "canonicalize-missing": "m", "no-symlinks": "s",
		"strip": "s", "quiet": "q", "zero": "z"}},
	"rm":   {"", map[string]string{"force": "f", "recursive": "r", "preserve-root": "P", "no-preserve-root": "P", "one-file-system": "P"}},
	"sed":  {"szu", map[string]string{"null-data": "z", "separate": "s", "unbuffered": "u", "zero-terminated": "z"}},
	"shuf": {"", map[string]string{"echo": "e", "input-range": "i:", "head-count": "n:", "output": "o:", "zero-terminated": "z"}},
	"sort": {"hm", map[string]string{"reverse": "r", "unique": "u", "numeric-sort": "n", "key": "k:", "field-separator": "t:", "human-numeric-sort": "h",
		"version-sort": "V", "general-numeric-sort": "g", "ignore-case": "f", "ignore-leading-blanks": "b", "stable": "s", "output": "o:", "check": "c?", "zero-terminated": "z"}},
	"split":    {"", map[string]string{"numeric-suffixes": "d"}},
	"stat":     {"", map[string]string{"format": "c:", "printf": "p:", "dereference": "L", "terse": "t", "file-system": "f"}},
	"sum":      {"", map[string]string{"check": "c", "status": "s", "quiet": "q", "binary": "b", "text": "b", "warn": "w"}},
	"tail":     {"", map[string]string{"lines": "n:", "bytes": "c:", "follow": "f?", "quiet": "q", "silent": "q", "verbose": "v", "sleep-interval": "s:"}},
	"tar":      {"X:", map[string]string{"get": "x", "exclude": "e:", "ungzip": "z", "same-owner": "o"}},
	"tee":      {"p", map[string]string{"append": "a", "ignore-interrupts": "i"}},
	"timeout":  {"v", map[string]string{"signal": "s:", "kill-after": "k:", "foreground": "v", "preserve-status": "P", "verbose": "v"}},
	"tr":       {"", map[string]string{"delete": "d", "squeeze-repeats": "s", "complement": "c", "truncate-set1": "t"}},
	"truncate": {"", map[string]string{"size": "s:", "no-create": "c"}},
	"uniq":     {"", map[string]string{"count": "c", "repeated": "d", "unique": "u", "ignore-case": "i", "skip-fields": "f:", "skip-chars": "s:", "check-chars": "w:"}},
	"uname":    {"", map[string]string{"all": "a", "machine": "m", "kernel-name": "s", "kernel-release": "r", "nodename": "n"}},
	"wc":       {"", map[string]string{"lines": "l", "words": "w", "bytes": "c", "chars": "m", "max-line-length": "L"}},
	"xargs": {"L:d:", map[string]string{"null": "0", "max-args": "n:", "replace": "I:", "max-procs": "P:", "delimiter": "d:", "max-lines": "L:", "verbose": "t", "exit": "x",
		"max-chars": "s:", "arg-file": "a:"}},
}

// dialect adds what GNU's version takes to the options of BusyBox's.
func (t *Tool) dialect(letters string, long map[string]string) (string, map[string]string) {
	if !t.GNU {
		return letters, long
	}
	more := gnuOptions[family(t.Name)]
	all := maps.Clone(long)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, more.long)
	return letters + more.letters, all
}
