package kit

import (
	"io"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/files"
)

// BusyBox's utilities differ in what they make of an output that cannot be written, or an input that cannot be read:
// a closed descriptor, a full device, a directory as standard input.

// unwritten says what a utility of BusyBox does when the rest of its output cannot be written.
type unwritten int

const (
	// failsLoudly is a message and exit code 1.
	failsLoudly unwritten = iota
	// complains is a message; the exit code stays what it would have been.
	complains
	// keepsSilent is nothing at all.
	keepsSilent
	// failsSilently is an exit code without a message: see silentCode.
	failsSilently
)

// onUnwritten returns what a utility of BusyBox does.
func onUnwritten(name string) unwritten {
	switch name {
	case "base64", "cmp", "cut", "du", "env", "expand", "expr", "fold", "groups", "head", "id", "nl", "paste", "realpath", "rev", "shuf", "sort", "strings",
		"tty", "uname", "unexpand", "uniq", "wc":
		return complains
	case "awk", "date", "df", "diff", "egrep", "fgrep", "find", "grep", "hexdump", "hostname", "ls", "md5sum", "mktemp", "nproc", "od", "ps", "readlink",
		"sed", "sha1sum", "sha256sum", "sha512sum", "stat", "tee", "which", "xxd":
		return keepsSilent
	case "basename", "dirname", "seq", "whoami":
		return failsSilently
	}
	return failsLoudly
}

// silentCode is the exit code of a utility that fails without a message.
func silentCode(name string) int {
	if name == "basename" {
		return 1
	}
	return 255
}

// unwritten ends a utility whose output could not be written.
func (t *Tool) unwritten(err error) {
	if t.GNU {
		t.Complain("write error: %s", files.Message(err))
		return
	}
	switch onUnwritten(t.Name) {
	case complains:
		status := t.Status
		t.Complain("standard output: %s", files.Message(err))
		t.Status = status
	case failsSilently:
		t.Status = silentCode(t.Name)
	case failsLoudly:
		t.Complain("write error: %s", files.Message(err))
	}
}

// Checked is an input that remembers why it could not be read.
type Checked struct {
	io.Reader
	Err error
}

func (c *Checked) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	if err != nil && err != io.EOF {
		c.Err = err
	}
	return n, err
}

// Unchecked is an input in the hands of a utility that does not look whether all could be read.
func Unchecked(r io.Reader) io.Reader {
	if c, ok := r.(*Checked); ok {
		return c.Reader
	}
	return r
}

// Unread reports an input that could not be read to its end, in the utilities that look at that. The name is "-" for standard
// input, or nothing if no operand names it.
func (t *Tool) Unread(name string, err error) {
	if err == nil {
		return
	}
	message := t.unreadOfBusyBox
	if t.GNU {
		message = t.unreadOfGNU
	}
	if text := message(name, strings.TrimSpace(files.Message(err))); text != "" {
		t.Complain("%s", text)
	}
}

// unreadOfBusyBox is what a utility of BusyBox says, if anything.
func (t *Tool) unreadOfBusyBox(name, text string) string {
	dash, title := name, name
	if name == "" {
		dash, title = "-", "standard input"
	}
	switch t.Name {
	case "cat", "tail", "base64":
		return "read error: " + text
	case "tac":
		return dash + ": " + text
	case "wc":
		return title + ": " + text
	case "md5sum", "sha1sum", "sha256sum", "sha512sum":
		return "can't read '" + dash + "': " + text
	case "fold":
		return dash + ": Input/output error"
	case "expand", "unexpand":
		return title + ": Input/output error"
	case "head":
		if dash == "-" {
			title = "standard input"
		}
		return title + ": Input/output error"
	case "od":
		return "standard input: read error"
	case "uniq":
		if name == "" {
			name = "(null)"
		}
		return name + ": I/O error"
	}
	return ""
}

// unreadOfGNU is what a utility of GNU or Debian says, if anything.
func (t *Tool) unreadOfGNU(name, text string) string {
	title := name
	if name == "" || name == "-" {
		name, title = "-", "'standard input'"
	}
	switch t.Name {
	case "cat", "md5sum", "sha1sum", "sha256sum", "sha512sum", "fold", "expand", "unexpand", "cut", "nl", "paste":
		return name + ": " + text
	case "wc", "od":
		return title + ": " + text
	case "head", "tail":
		return "error reading " + title + ": " + text
	case "base64", "tee", "tr", "shuf":
		return "read error: " + text
	case "tac":
		return title + ": read error: Invalid argument"
	case "uniq":
		return "error reading '" + name + "'"
	}
	return ""
}
