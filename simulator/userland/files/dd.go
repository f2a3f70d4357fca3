package files

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// copying is a dd at work. Its numbers of bytes are -1 where nothing was asked for.
type copying struct {
	*kit.Tool
	in, out             string
	ibs, obs            int64
	count, skip, seek   int64
	status              string
	conv, iflag, oflag  []string
	full, partial       int64 // blocks that were read
	wroteFull, wroteBit int64 // blocks that were written
	total               int64
	stuck               bool // the input could not be read
}

var (
	ddConversions = []string{"notrunc", "sync", "noerror", "fsync", "swab", "fdatasync"}
	ddInputFlags  = []string{"skip_bytes", "count_bytes", "fullblock", "direct", "nonblock"}
	ddOutputFlags = []string{"seek_bytes", "append", "direct", "sync", "dsync"}
)

// blockSuffixes are the units of dd's numbers.
var blockSuffixes = []struct {
	name string
	unit int64
}{{"kB", 1000}, {"KB", 1000}, {"MB", 1000 * 1000}, {"GB", 1000 * 1000 * 1000}, {"c", 1}, {"w", 2}, {"b", 512}, {"k", 1 << 10}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}}

// blocks reads a number of dd.
func blocks(text string) (int64, bool) {
	unit := int64(1)
	for _, s := range blockSuffixes {
		if digits, ok := strings.CutSuffix(text, s.name); ok {
			text, unit = digits, s.unit
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || text[0] == '+' || n > mostBytes/unit {
		return 0, false
	}
	return n * unit, true
}

// mostBytes bounds the places in a file.
const mostBytes = 1 << 50

// product is how many bytes some blocks are, up to mostBytes.
func product(n, size int64) int64 {
	if n > mostBytes/size {
		return mostBytes
	}
	return n * size
}

// Dd is the utility dd.
func Dd(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	d := &copying{Tool: t, in: "-", ibs: 512, obs: 512, count: -1}
	if len(args) > 1 && args[1] == "--" {
		args = slices.Delete(slices.Clone(args), 1, 2)
	}
	for _, a := range args[1:] {
		key, value, ok := strings.Cut(a, "=")
		if !ok {
			return t.Usage()
		}
		if problem, known := d.operand(key, value); !known {
			return t.Usage()
		} else if problem != "" {
			return t.Fail("%s", problem)
		}
	}
	if d.ibs < 1 || d.obs < 1 {
		return t.Fail("number %d is not in 1..2147483647 range", min(d.ibs, d.obs))
	}
	d.run()
	return t.End()
}

// operand takes one key with its value. It returns what is wrong with the value.
func (d *copying) operand(key, value string) (problem string, known bool) {
	number := func(into ...*int64) (string, bool) {
		n, ok := blocks(value)
		if !ok {
			return "invalid number '" + value + "'", true
		}
		for _, i := range into {
			*i = n
		}
		return "", true
	}
	words := func(into *[]string, allowed []string, further ...string) (string, bool) {
		for _, word := range strings.Split(value, ",") {
			if !slices.Contains(allowed, word) && !(d.GNU && slices.Contains(further, word)) {
				return "invalid argument '" + word + "' to '" + key + "'", true
			}
			*into = append(*into, word)
		}
		return "", true
	}
	switch key {
	case "if":
		d.in = value
	case "of":
		d.out = value
	case "bs":
		return number(&d.ibs, &d.obs)
	case "ibs":
		return number(&d.ibs)
	case "obs":
		return number(&d.obs)
	case "count":
		return number(&d.count)
	case "skip":
		return number(&d.skip)
	case "seek":
		return number(&d.seek)
	case "status":
		if d.status = value; value != "none" && value != "noxfer" && !(d.GNU && value == "progress") {
			return "invalid argument '" + value + "' to 'status'", true
		}
	case "conv":
		return words(&d.conv, ddConversions, "ucase", "lcase", "excl", "nocreat", "sparse")
	case "iflag":
		return words(&d.iflag, ddInputFlags, "nocache", "noatime", "nofollow")
	case "oflag":
		return words(&d.oflag, ddOutputFlags, "nocache", "noatime", "nofollow", "nonblock")
	default:
		return "", false
	}
	return "", true
}

// run copies, and reports on standard error.
func (d *copying) run() {
	r, done, err := d.Open(d.in)
	isDir := errors.Is(err, kit.ErrDirectory) // which can be opened, and not read
	if err != nil && !isDir {
		d.Complain("can't open '%s': %s", d.in, kit.Message(err))
		return
	}
	if err == nil {
		defer done()
	}
	fd, ok := d.target()
	if !ok {
		return
	}
	var good bool
	switch {
	case isDir:
		d.unread(err)
	default:
		good = d.copy(r, fd)
	}
	switch {
	case d.status == "none" || d.stuck && !d.GNU:
		return
	default:
		fmt.Fprintf(d.P.Stderr(), "%d+%d records in\n%d+%d records out\n", d.full, d.partial, d.wroteFull, d.wroteBit)
	}
	if d.status != "noxfer" && good {
		fmt.Fprintf(d.P.Stderr(), "%d bytes copied, 0.001 seconds\n", d.total)
	}
}

// unread reports that the input cannot be read, which ends BusyBox's dd at once.
func (d *copying) unread(err error) {
	d.stuck = true
	name := d.in
	if name == "-" {
		name = "standard input"
	}
	if d.GNU {
		name = "error reading '" + name + "'"
	}
	d.Complain("%s: %s", name, kit.Message(err))
}

// target opens what is written to and goes to where writing begins.
func (d *copying) target() (fd int, ok bool) {
	offset := product(d.seek, d.obs)
	if slices.Contains(d.oflag, "seek_bytes") {
		offset = d.seek
	}
	if d.out == "" {
		if h := d.P.FileHandle(1); offset > 0 {
			if h == nil {
				d.Complain("standard output: Illegal seek")
				return 0, false
			}
			_, _ = h.Seek(offset, 0)
		}
		return 1, true
	}
	flags := files.Write | files.Create
	noTruncation := slices.Contains(d.conv, "notrunc")
	if !noTruncation && offset == 0 {
		flags |= files.Truncate
	}
	if slices.Contains(d.oflag, "append") {
		flags = flags&^files.Write | files.Append
	}
	fd, err := d.P.OpenFile(d.out, flags, 0o666)
	if err != nil {
		d.Complain("can't open '%s': %s", d.out, kit.Message(err))
		return 0, false
	}
	if h := d.P.FileHandle(fd); h != nil && offset > 0 {
		if info := h.Stat(); !noTruncation && info.Kind() == files.Regular {
			d.P.Allocate(offset)
			err := h.Truncate(offset)
			d.P.Allocate(-offset)
			if err != nil {
				d.Complain("%s: %s", d.out, kit.Message(err))
				return 0, false
			}
		}
		_, _ = h.Seek(offset, 0)
	}
	return fd, true
}

// copy moves the blocks. It reports whether all could be written.
func (d *copying) copy(r io.Reader, fd int) bool {
	skip := product(d.skip, d.ibs)
	if slices.Contains(d.iflag, "skip_bytes") {
		skip = d.skip
	}
	left := int64(-1)
	if d.count >= 0 {
		left = product(d.count, d.ibs)
		if slices.Contains(d.iflag, "count_bytes") {
			left = d.count
		}
	}
	held := d.ibs + d.obs
	d.P.Allocate(held)
	defer d.P.Allocate(-held)
	if !d.leaveOut(r, skip) {
		return true
	}
	block := make([]byte, d.ibs)
	var pending []byte
	for left != 0 {
		d.P.Spend(container.CommandCost)
		part := block
		if left >= 0 {
			part = block[:min(left, d.ibs)]
		}
		n, err := d.read(r, part)
		if n == 0 && err != nil {
			if !errors.Is(err, io.EOF) {
				d.unread(err)
			}
			break
		}
		if left >= 0 {
			left -= int64(n)
			if d.count >= 0 && !slices.Contains(d.iflag, "count_bytes") {
				left -= int64(len(part) - n) // a block that is not full counts as one
			}
		}
		data := d.converted(block, n)
		if d.ibs == d.obs {
			if !d.write(fd, data) {
				return false
			}
			continue
		}
		for pending = append(pending, data...); int64(len(pending)) >= d.obs; pending = pending[d.obs:] {
			if !d.write(fd, pending[:d.obs]) {
				return false
			}
		}
	}
	return len(pending) == 0 || d.write(fd, pending)
}

// leaveOut reads over the beginning of the input.
func (d *copying) leaveOut(r io.Reader, n int64) bool {
	buf := make([]byte, min(n, 32<<10))
	for n > 0 {
		d.P.Spend(0)
		got, err := r.Read(buf[:min(n, int64(len(buf)))])
		n -= int64(got)
		if err != nil {
			return false
		}
	}
	return true
}

// read reads one block, or with iflag=fullblock all of it.
func (d *copying) read(r io.Reader, block []byte) (int, error) {
	n, err := r.Read(block)
	for slices.Contains(d.iflag, "fullblock") && err == nil && n < len(block) {
		var more int
		more, err = r.Read(block[n:])
		n += more
	}
	if int64(n) == d.ibs {
		d.full++
	} else if n > 0 {
		d.partial++
	}
	return n, err
}

// converted returns the converted form of n bytes that were read into a block.
func (d *copying) converted(block []byte, n int) []byte {
	data := block[:n]
	for _, conversion := range d.conv {
		switch conversion {
		case "swab":
			for i := 0; i+1 < len(data); i += 2 {
				data[i], data[i+1] = data[i+1], data[i]
			}
		case "ucase":
			copy(data, strings.ToUpper(string(data)))
		case "lcase":
			copy(data, strings.ToLower(string(data)))
		}
	}
	if slices.Contains(d.conv, "sync") && len(data) < len(block) {
		clear(block[n:])
		data = block
	}
	return data
}

func (d *copying) write(fd int, data []byte) bool {
	if _, err := d.P.Write(fd, data); err != nil {
		name := d.out
		if name == "" {
			name = "standard output"
		}
		d.Complain("error writing '%s': %s", name, kit.Message(err))
		return false
	}
	d.total += int64(len(data))
	if int64(len(data)) == d.obs {
		d.wroteFull++
	} else {
		d.wroteBit++
	}
	return true
}
