package utility

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
)

// differ is a diff at work.
type differ struct {
	*tool
	opts    map[byte][]string
	unified bool
	around  int
	// inDirectory says that directories are compared: GNU's version prints a header with the options for each file.
	inDirectory bool
	header      string
	absentOK    bool // -N
}

// diff compares two files, or two directories. That of BusyBox prints unified hunks whether asked to or not.
func diff(p *container.Process, args []string) int {
	t := begin(p, args)
	unified := "U:"
	if t.gnu {
		unified = "u?"
	}
	opts, names, ok := t.options(args, "abdipqrstuwBEL:NS:TU:", false, map[string]string{"recursive": "r", "brief": "q", "unified": unified, "ignore-case": "i",
		"ignore-all-space": "w", "ignore-space-change": "b", "ignore-blank-lines": "B", "text": "a", "new-file": "N", "label": "L:", "starting-file": "S:",
		"expand-tabs": "t", "initial-tab": "T", "minimal": "d", "report-identical-files": "s", "show-c-function": "p", "ignore-tab-expansion": "E"})
	if !ok || t.misused(names, 2, 2) {
		return t.end()
	}
	if has(opts, 'u') && last(opts, 'u') != "" { // --unified=LINES
		opts['U'] = opts['u']
	}
	around, ok := t.within(opts, 'U', 3, 0, 1<<31-1)
	if !ok {
		return t.end()
	}
	for _, name := range names {
		if _, err := p.Stat(name); name != "-" && err != nil && !has(opts, 'N') {
			if t.gnu {
				t.failed(name, err)
				t.status = 2
				continue
			}
			t.complain("can't stat '%s': %s", name, message(err))
			t.status = 2
			return t.end()
		}
	}
	if t.status != 0 || !t.gnu && t.oneFile(names) {
		return t.end()
	}
	d := differ{tool: t, opts: opts, unified: !t.gnu || has(opts, 'u') || has(opts, 'U'), around: around, absentOK: has(opts, 'N')}
	isDir := func(name string) bool {
		info, err := p.Stat(name)
		return err == nil && info.IsDir()
	}
	switch a, b := isDir(names[0]), isDir(names[1]); {
	case a && b:
		d.inDirectory = true
		for _, arg := range args[1:] {
			if strings.HasPrefix(arg, "-") {
				d.header += " " + arg
			}
		}
		d.directories(names[0], names[1])
	case (a || b) && (names[0] == "-" || names[1] == "-"):
		if t.complain("can't compare stdin to a directory"); t.gnu {
			t.status = 2
		}
		return t.end()
	case a && !d.inside(names, 0), b && !d.inside(names, 1):
		return t.end()
	}
	if d.inDirectory {
		return t.end()
	}
	d.compare(names[0], names[1])
	return t.end()
}

// inside makes one operand, a directory, the file in it that has the name of the other. It reports whether there is one.
func (d *differ) inside(names []string, at int) bool {
	names[at] = into(names[at], names[1-at])
	_, err := d.p.Stat(names[at])
	if err == nil || d.gnu {
		return true // GNU's version complains later
	}
	d.complain("can't stat '%s': %s", names[at], message(err))
	return false
}

// oneFile reports whether two operands are the same file, which BusyBox does not look at.
func (t *tool) oneFile(names []string) bool {
	var infos []*files.Info
	for _, name := range names {
		if h := t.p.FileHandle(0); name == "-" && h != nil {
			infos = append(infos, h.Stat())
		} else if info, err := t.p.Stat(name); name != "-" && err == nil {
			infos = append(infos, info)
		}
	}
	return len(infos) == 2 && infos[0].Same(infos[1])
}

// below adds what BusyBox compares of a directory to names: its entries, or with -r all files below it instead of the
// directories. It follows links, and leaves out directories that the other side does not have.
func (d *differ) below(names *[]string, dir, prefix, other string) {
	list, err := d.p.ReadDir(dir)
	if err != nil {
		d.mention(dir, err)
	}
	for _, e := range list {
		d.p.Spend(container.CommandCost)
		file, name := dir+"/"+e.Name(), prefix+e.Name()
		info, err := d.p.Stat(file)
		switch {
		case err != nil:
			d.mention(file, err)
		case !info.IsDir() || !has(d.opts, 'r'):
			d.hold(name)
			*names = append(*names, name)
		default:
			if there, err := d.p.Stat(other + "/" + name); !d.absentOK && (err != nil || !there.IsDir()) {
				d.status = max(d.status, 1)
				continue
			}
			d.below(names, file, name+"/", other)
		}
	}
}

// mention prints an error that does not change the exit code.
func (d *differ) mention(name string, err error) {
	before := d.status
	d.failed(name, err)
	d.status = before
}

// entries are the names in a directory that are to be compared with those of another.
func (d *differ) entries(dir, other string) []string {
	var names []string
	if !d.gnu {
		d.below(&names, dir, "", other)
		slices.Sort(names)
		return names
	}
	list, err := d.p.ReadDir(dir)
	if err != nil && !(d.absentOK && files.Errno(err) == syscall.ENOENT) {
		d.failed(dir, err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names
}

func (d *differ) directories(a, b string) {
	a, b = strings.TrimSuffix(a, "/"), strings.TrimSuffix(b, "/")
	mine, theirs := d.entries(a, b), d.entries(b, a)
	all := slices.Compact(slices.Sorted(slices.Values(slices.Concat(mine, theirs))))
	for _, name := range all {
		d.p.Spend(container.CommandCost)
		_, inA := slices.BinarySearch(mine, name)
		_, inB := slices.BinarySearch(theirs, name)
		x, y := a+"/"+name, b+"/"+name
		switch {
		case (!inA || !inB) && !d.absentOK:
			dir := a
			if inB {
				dir = b
			}
			fmt.Fprintf(d.out, "Only in %s: %s\n", dir, name)
			d.status = max(d.status, 1)
			continue
		case !d.gnu && !inA:
			x = "/dev/null"
		case !d.gnu && !inB:
			y = "/dev/null"
		}
		first, _ := d.p.Stat(x)
		second, _ := d.p.Stat(y)
		if there, err := d.p.Stat(a + "/" + name); !d.gnu && err == nil && !inB && there.IsDir() {
			second = first // BusyBox takes what is missing for the same kind of file
		} else if there, err := d.p.Stat(b + "/" + name); !d.gnu && err == nil && !inA && there.IsDir() {
			first = second
		}
		switch {
		case first != nil && second != nil && first.IsDir() && second.IsDir():
			if has(d.opts, 'r') {
				d.directories(x, y)
			} else {
				fmt.Fprintf(d.out, "Common subdirectories: %s and %s\n", a+"/"+name, b+"/"+name)
			}
		case has(d.opts, 'r') && (first == nil && second != nil && second.IsDir() || second == nil && first != nil && first.IsDir()):
			d.directories(x, y)
		case first != nil && second != nil && first.IsDir() != second.IsDir():
			kind := map[bool]string{true: "directory", false: "regular file"}
			fmt.Fprintf(d.out, "File %s is a %s while file %s is a %s\n", x, kind[first.IsDir()], y, kind[second.IsDir()])
			if d.gnu {
				d.status = max(d.status, 1)
			}
		default:
			d.comparedAs(x, y, a+"/"+name, b+"/"+name)
		}
	}
}

// read reads a file; with -N one that does not exist is empty.
func (d *differ) read(name string) ([]byte, bool) {
	r, done, err := d.open(name)
	if err != nil {
		if d.absentOK && files.Errno(err) == syscall.ENOENT {
			return nil, true
		}
		switch {
		case errors.Is(err, errDirectory):
			d.complain("%s: Is a directory", name)
		case d.gnu:
			d.failed(name, err)
		default:
			d.complain("can't stat '%s': %s", name, message(err))
		}
		d.status = 2
		return nil, false
	}
	defer done()
	data, _ := d.readAll(r)
	return data, true
}

// compare compares two files.
func (d *differ) compare(first, second string) { d.comparedAs(first, second, first, second) }

// comparedAs compares two files, which are called nameA and nameB in messages that say whether they differ.
func (d *differ) comparedAs(first, second, nameA, nameB string) {
	a, ok := d.read(first)
	if !ok {
		return
	}
	b, ok := d.read(second)
	if !ok {
		return
	}
	if bytes.Equal(a, b) {
		if has(d.opts, 's') {
			fmt.Fprintf(d.out, "Files %s and %s are identical\n", nameA, nameB)
		}
		return
	}
	if has(d.opts, 'q') {
		fmt.Fprintf(d.out, "Files %s and %s differ\n", nameA, nameB)
		d.status = max(d.status, 1)
		return
	}
	if !has(d.opts, 'a') && (bytes.IndexByte(a, 0) >= 0 || bytes.IndexByte(b, 0) >= 0) {
		d.binary(nameA, nameB)
		return
	}
	x, y := diffLines(a), diffLines(b)
	edits := d.edits(x, y, d.key)
	around := d.around
	if !d.unified {
		around = 0
	}
	list := hunks(edits, around, d.blank(edits, x, y))
	if len(list) == 0 {
		return
	}
	d.status = max(d.status, 1)
	if d.gnu && d.inDirectory {
		fmt.Fprintf(d.out, "diff%s %s %s\n", d.header, first, second)
	}
	if d.unified {
		fmt.Fprintf(d.out, "--- %s\n+++ %s\n", d.title(0, first), d.title(1, second))
	}
	for _, h := range list {
		d.hunk(edits[h[0]:h[1]], x, y)
	}
}

// binary says that two files with NULs in them differ.
func (d *differ) binary(nameA, nameB string) {
	word := "Files"
	if d.gnu {
		word = "Binary files"
	}
	d.status = max(d.status, 1)
	fmt.Fprintf(d.out, "%s %s and %s differ\n", word, nameA, nameB)
}

// title is the name of the first or the second file in a unified header, with its time in GNU's version.
func (d *differ) title(at int, name string) string {
	if labels := d.opts['L']; at < len(labels) {
		return labels[at]
	}
	if !d.gnu {
		return name
	}
	when := d.p.Now()
	if info, err := d.p.Stat(name); err == nil {
		when = info.ModTime()
	} else if name != "-" {
		when = time.Unix(0, 0)
	}
	return name + "\t" + when.UTC().Format("2006-01-02 15:04:05.000000000 -0700")
}

// key is what of a line counts.
func (d *differ) key(line string) string {
	if has(d.opts, 'w') {
		line = strings.Join(strings.Fields(line), "")
	} else if has(d.opts, 'b') {
		line = strings.Join(strings.Fields(line), " ")
	}
	if has(d.opts, 'i') {
		line = strings.ToLower(line)
	}
	return line
}

// hunk prints lines that differ, and those around them.
func (d *differ) hunk(edits []edit, x, y []string) {
	first, end := edits[0], edits[len(edits)-1]
	toX, toY := end.x+btoi(end.kind != '+'), end.y+btoi(end.kind != '-')
	show := func(mark string, e edit) {
		line := x
		at := e.x
		if e.kind == '+' {
			line, at = y, e.y
		}
		d.out.WriteString(mark + strings.TrimSuffix(line[at], "\n") + "\n")
		if !strings.HasSuffix(line[at], "\n") {
			d.out.WriteString("\\ No newline at end of file\n")
		}
	}
	if d.unified {
		fmt.Fprintf(d.out, "@@ -%s +%s @@\n", span(first.x, toX), span(first.y, toY))
		for _, e := range edits {
			show(string(e.kind), e)
		}
		return
	}
	letter := "c"
	switch {
	case first.x == toX:
		letter = "a"
	case first.y == toY:
		letter = "d"
	}
	fmt.Fprintf(d.out, "%s%s%s\n", lineRange(first.x, toX), letter, lineRange(first.y, toY))
	for _, e := range edits {
		if e.kind == '-' {
			show("< ", e)
		}
	}
	if letter == "c" {
		d.out.WriteString("---\n")
	}
	for _, e := range edits {
		if e.kind == '+' {
			show("> ", e)
		}
	}
}

// lineRange prints lines as a plain diff does.
func lineRange(from, to int) string {
	switch to - from {
	case 0:
		return fmt.Sprint(from)
	case 1:
		return fmt.Sprint(to)
	}
	return fmt.Sprintf("%d,%d", from+1, to)
}

func diffLines(data []byte) []string { return slices.Collect(strings.Lines(string(data))) }

// edit is one line of a comparison: kept (' '), only in the first file ('-'), or only in the second ('+').
type edit struct {
	kind byte
	x, y int // the next lines of both files
}

// edits finds the longest common part of two lists of lines and what leads from one to the other. Between what the
// beginnings and the ends have in common it takes time and room of their product, or beyond a bound of what differs.
func (t *tool) edits(x, y []string, key func(string) string) []edit {
	const most = 4 << 20
	from := 0
	for from < len(x) && from < len(y) && key(x[from]) == key(y[from]) {
		from++
	}
	to := 0
	for to < len(x)-from && to < len(y)-from && key(x[len(x)-1-to]) == key(y[len(y)-1-to]) {
		to++
	}
	n, m := len(x)-from-to, len(y)-from-to
	if n*m > most {
		return t.fewestEdits(x, y, from, to, key)
	}
	t.p.Allocate(int64(n * m * 4))
	defer t.p.Allocate(-int64(n * m * 4))
	longest := make([][]int32, n+1)
	longest[n] = make([]int32, m+1)
	for i := n - 1; i >= 0; i-- {
		longest[i] = make([]int32, m+1)
		for j := m - 1; j >= 0; j-- {
			if key(x[from+i]) == key(y[from+j]) {
				longest[i][j] = longest[i+1][j+1] + 1
			} else {
				longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			}
		}
		t.p.Spend(container.CommandCost)
	}
	out := make([]edit, 0, len(x)+len(y))
	for i := range from {
		out = append(out, edit{' ', i, i})
	}
	for i, j := 0, 0; i < n || j < m; {
		switch {
		case i < n && j < m && key(x[from+i]) == key(y[from+j]):
			out = append(out, edit{' ', from + i, from + j})
			i, j = i+1, j+1
		case i < n && (j == m || longest[i+1][j] >= longest[i][j+1]):
			out = append(out, edit{'-', from + i, from + j})
			i++
		default:
			out = append(out, edit{'+', from + i, from + j})
			j++
		}
	}
	for k := range to {
		out = append(out, edit{' ', len(x) - to + k, len(y) - to + k})
	}
	return out
}

// blank returns the edits that -B leaves out: changes of empty lines alone.
func (d *differ) blank(edits []edit, x, y []string) func(i int) bool {
	if !has(d.opts, 'B') {
		return func(int) bool { return false }
	}
	out := make([]bool, len(edits))
	for from := 0; from < len(edits); {
		to, empty := from, true
		for ; to < len(edits) && edits[to].kind != ' '; to++ {
			e := edits[to]
			empty = empty && (e.kind == '-' && x[e.x] == "\n" || e.kind == '+' && y[e.y] == "\n")
		}
		for i := from; i < to; i++ {
			out[i] = empty
		}
		from = max(to, from+1)
	}
	return func(i int) bool { return out[i] }
}

// hunks returns the parts of the edits that hold changes, with lines around them.
func hunks(edits []edit, around int, ignored func(i int) bool) [][2]int {
	var out [][2]int
	for i, e := range edits {
		if e.kind == ' ' || ignored(i) {
			continue
		}
		from, to := max(0, i-around), min(len(edits), i+1+around)
		if len(out) > 0 && from <= out[len(out)-1][1] {
			out[len(out)-1][1] = to
		} else {
			out = append(out, [2]int{from, to})
		}
	}
	return out
}

// span prints lines from to to as a hunk's header does.
func span(from, to int) string {
	switch to - from {
	case 0:
		return fmt.Sprintf("%d,0", from)
	case 1:
		return fmt.Sprint(from + 1)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}

// comm compares two sorted files line by line.
func comm(p *container.Process, args []string) int {
	t := begin(p, args)
	opts, names, ok := t.options(args, "123", false, nil)
	if !ok || len(names) != 2 {
		return t.fail("two files are needed")
	}
	a, b, ok := t.both(names, false)
	if !ok {
		t.status = 1
		return t.end()
	}
	x, y := diffLines(a), diffLines(b)
	show := func(column int, line string) {
		if has(opts, byte('0'+column)) {
			return
		}
		for c := 1; c < column; c++ {
			if !has(opts, byte('0'+c)) {
				t.out.WriteByte('\t')
			}
		}
		t.out.WriteString(strings.TrimSuffix(line, "\n") + "\n")
	}
	for len(x) > 0 || len(y) > 0 {
		var c int
		switch {
		case len(x) == 0:
			c = 1
		case len(y) == 0:
			c = -1
		default:
			c = strings.Compare(strings.TrimSuffix(x[0], "\n"), strings.TrimSuffix(y[0], "\n"))
		}
		switch {
		case c < 0:
			show(1, x[0])
			x = x[1:]
		case c > 0:
			show(2, y[0])
			y = y[1:]
		default:
			show(3, x[0])
			x, y = x[1:], y[1:]
		}
	}
	return t.end()
}
