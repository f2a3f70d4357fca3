package text

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
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// differ is a diff at work.
type differ struct {
	*kit.Tool
	opts    map[byte][]string
	unified bool
	around  int
	// inDirectory says that directories are compared: GNU's version prints a header with the options for each file.
	inDirectory bool
	header      string
	absentOK    bool // -N
}

// Diff compares two files, or two directories. That of BusyBox prints unified hunks whether asked to or not.
func Diff(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	unified := "U:"
	if t.GNU {
		unified = "u?"
	}
	opts, names, ok := t.Options(args, "abdipqrstuwBEL:NS:TU:", false, map[string]string{"recursive": "r", "brief": "q", "unified": unified, "ignore-case": "i",
		"ignore-all-space": "w", "ignore-space-change": "b", "ignore-blank-lines": "B", "text": "a", "new-file": "N", "label": "L:", "starting-file": "S:",
		"expand-tabs": "t", "initial-tab": "T", "minimal": "d", "report-identical-files": "s", "show-c-function": "p", "ignore-tab-expansion": "E"})
	if !ok || t.Misused(names, 2, 2) {
		return t.End()
	}
	if kit.Has(opts, 'u') && kit.Last(opts, 'u') != "" { // --unified=LINES
		opts['U'] = opts['u']
	}
	around, ok := t.Within(opts, 'U', 3, 0, 1<<31-1)
	if !ok {
		return t.End()
	}
	for _, name := range names {
		if _, err := p.Stat(name); name != "-" && err != nil && !kit.Has(opts, 'N') {
			if t.GNU {
				t.Failed(name, err)
				t.Status = 2
				continue
			}
			t.Complain("can't stat '%s': %s", name, kit.Message(err))
			t.Status = 2
			return t.End()
		}
	}
	if t.Status != 0 {
		return t.End()
	}
	d := differ{Tool: t, opts: opts, unified: !t.GNU || kit.Has(opts, 'u') || kit.Has(opts, 'U'), around: around, absentOK: kit.Has(opts, 'N')}
	isDir := func(name string) bool {
		if h := p.FileHandle(0); name == "-" {
			return h != nil && h.Stat().IsDir()
		}
		info, err := p.Stat(name)
		return err == nil && info.IsDir()
	}
	switch a, b := isDir(names[0]), isDir(names[1]); {
	case (a || b) && (names[0] == "-" || names[1] == "-"):
		if t.Complain("can't compare stdin to a directory"); t.GNU {
			t.Status = 2
		}
		return t.End()
	case !t.GNU && oneFile(t, names):
		return t.End()
	case a && b:
		d.inDirectory = true
		for _, arg := range args[1:] {
			if strings.HasPrefix(arg, "-") {
				d.header += " " + arg
			}
		}
		d.directories(names[0], names[1])
	case a && !d.inside(names, 0), b && !d.inside(names, 1):
		return t.End()
	}
	if d.inDirectory {
		return t.End()
	}
	d.compare(names[0], names[1])
	return t.End()
}

// inside makes one operand, a directory, the file in it that has the name of the other. It reports whether there is one.
func (d *differ) inside(names []string, at int) bool {
	names[at] = kit.Into(names[at], names[1-at])
	_, err := d.P.Stat(names[at])
	if err == nil || d.GNU {
		return true // GNU's version complains later
	}
	d.Complain("can't stat '%s': %s", names[at], kit.Message(err))
	return false
}

// oneFile reports whether two operands are the same file, which BusyBox does not look at.
func oneFile(t *kit.Tool, names []string) bool {
	var infos []*files.Info
	for _, name := range names {
		if h := t.P.FileHandle(0); name == "-" && h != nil {
			infos = append(infos, h.Stat())
		} else if info, err := t.P.Stat(name); name != "-" && err == nil {
			infos = append(infos, info)
		}
	}
	return len(infos) == 2 && infos[0].Same(infos[1])
}

// below adds what BusyBox compares of a directory to names: its entries, or with -r all files below it instead of the
// directories. It follows links, and leaves out directories that the other side does not have.
func (d *differ) below(names *[]string, dir, prefix, other string) {
	list, err := d.P.ReadDir(dir)
	if err != nil {
		d.mention(dir, err)
	}
	for _, e := range list {
		d.P.Spend(container.CommandCost)
		file, name := dir+"/"+e.Name(), prefix+e.Name()
		info, err := d.P.Stat(file)
		switch {
		case err != nil:
			d.mention(file, err)
		case !info.IsDir() || !kit.Has(d.opts, 'r'):
			d.Hold(name)
			*names = append(*names, name)
		default:
			if there, err := d.P.Stat(other + "/" + name); !d.absentOK && (err != nil || !there.IsDir()) {
				d.Status = max(d.Status, 1)
				continue
			}
			d.below(names, file, name+"/", other)
		}
	}
}

// mention prints an error that does not change the exit code.
func (d *differ) mention(name string, err error) {
	before := d.Status
	d.Failed(name, err)
	d.Status = before
}

// entries are the names in a directory that are to be compared with those of another.
func (d *differ) entries(dir, other string) []string {
	var names []string
	if !d.GNU {
		d.below(&names, dir, "", other)
		slices.Sort(names)
		return names
	}
	list, err := d.P.ReadDir(dir)
	if err != nil && !(d.absentOK && files.Errno(err) == syscall.ENOENT) {
		d.Failed(dir, err)
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
		d.P.Spend(container.CommandCost)
		_, inA := slices.BinarySearch(mine, name)
		_, inB := slices.BinarySearch(theirs, name)
		x, y := a+"/"+name, b+"/"+name
		switch {
		case (!inA || !inB) && !d.absentOK:
			dir := a
			if inB {
				dir = b
			}
			fmt.Fprintf(d.Out, "Only in %s: %s\n", dir, name)
			d.Status = max(d.Status, 1)
			continue
		case !d.GNU && !inA:
			x = "/dev/null"
		case !d.GNU && !inB:
			y = "/dev/null"
		}
		first, _ := d.P.Stat(x)
		second, _ := d.P.Stat(y)
		if there, err := d.P.Stat(a + "/" + name); !d.GNU && err == nil && !inB && there.IsDir() {
			second = first // BusyBox takes what is missing for the same kind of file
		} else if there, err := d.P.Stat(b + "/" + name); !d.GNU && err == nil && !inA && there.IsDir() {
			first = second
		}
		switch {
		case first != nil && second != nil && first.IsDir() && second.IsDir():
			if kit.Has(d.opts, 'r') {
				d.directories(x, y)
			} else {
				fmt.Fprintf(d.Out, "Common subdirectories: %s and %s\n", a+"/"+name, b+"/"+name)
			}
		case kit.Has(d.opts, 'r') && (first == nil && second != nil && second.IsDir() || second == nil && first != nil && first.IsDir()):
			d.directories(x, y)
		case first != nil && second != nil && first.IsDir() != second.IsDir():
			kind := map[bool]string{true: "directory", false: "regular file"}
			fmt.Fprintf(d.Out, "File %s is a %s while file %s is a %s\n", x, kind[first.IsDir()], y, kind[second.IsDir()])
			if d.GNU {
				d.Status = max(d.Status, 1)
			}
		default:
			d.comparedAs(x, y, a+"/"+name, b+"/"+name)
		}
	}
}

// read reads a file; with -N one that does not exist is empty.
func (d *differ) read(name string) ([]byte, bool) {
	r, done, err := d.Open(name)
	if err != nil {
		if d.absentOK && files.Errno(err) == syscall.ENOENT {
			return nil, true
		}
		switch {
		case errors.Is(err, kit.ErrDirectory):
			d.Complain("%s: Is a directory", name)
		case d.GNU:
			d.Failed(name, err)
		default:
			d.Complain("can't stat '%s': %s", name, kit.Message(err))
		}
		d.Status = 2
		return nil, false
	}
	defer done()
	data, _ := d.ReadAll(r)
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
		if kit.Has(d.opts, 's') {
			fmt.Fprintf(d.Out, "Files %s and %s are identical\n", nameA, nameB)
		}
		return
	}
	if kit.Has(d.opts, 'q') {
		fmt.Fprintf(d.Out, "Files %s and %s differ\n", nameA, nameB)
		d.Status = max(d.Status, 1)
		return
	}
	if !kit.Has(d.opts, 'a') && (bytes.IndexByte(a, 0) >= 0 || bytes.IndexByte(b, 0) >= 0) {
		d.binary(nameA, nameB)
		return
	}
	x, y := diffLines(a), diffLines(b)
	edits := editsOf(d.Tool, x, y, d.key)
	around := d.around
	if !d.unified {
		around = 0
	}
	list := hunks(edits, around, d.blank(edits, x, y))
	if len(list) == 0 {
		return
	}
	d.Status = max(d.Status, 1)
	if d.GNU && d.inDirectory {
		fmt.Fprintf(d.Out, "diff%s %s %s\n", d.header, first, second)
	}
	if d.unified {
		fmt.Fprintf(d.Out, "--- %s\n+++ %s\n", d.title(0, first), d.title(1, second))
	}
	for _, h := range list {
		d.hunk(edits[h[0]:h[1]], x, y)
	}
}

// binary says that two files with NULs in them differ.
func (d *differ) binary(nameA, nameB string) {
	word := "Files"
	if d.GNU {
		word = "Binary files"
	}
	d.Status = max(d.Status, 1)
	fmt.Fprintf(d.Out, "%s %s and %s differ\n", word, nameA, nameB)
}

// title is the name of the first or the second file in a unified header, with its time in GNU's version.
func (d *differ) title(at int, name string) string {
	if labels := d.opts['L']; at < len(labels) {
		return labels[at]
	}
	if !d.GNU {
		return name
	}
	when := d.P.Now()
	if info, err := d.P.Stat(name); err == nil {
		when = info.ModTime()
	} else if name != "-" {
		when = time.Unix(0, 0)
	}
	return name + "\t" + when.UTC().Format("2006-01-02 15:04:05.000000000 -0700")
}

// key is what of a line counts.
func (d *differ) key(line string) string {
	if kit.Has(d.opts, 'w') {
		line = strings.Join(strings.Fields(line), "")
	} else if kit.Has(d.opts, 'b') {
		line = strings.Join(strings.Fields(line), " ")
	}
	if kit.Has(d.opts, 'i') {
		line = strings.ToLower(line)
	}
	return line
}

// hunk prints lines that differ, and those around them.
func (d *differ) hunk(edits []edit, x, y []string) {
	first, end := edits[0], edits[len(edits)-1]
	toX, toY := end.x+kit.Btoi(end.kind != '+'), end.y+kit.Btoi(end.kind != '-')
	show := func(mark string, e edit) {
		line := x
		at := e.x
		if e.kind == '+' {
			line, at = y, e.y
		}
		d.Out.WriteString(mark + strings.TrimSuffix(line[at], "\n") + "\n")
		if !strings.HasSuffix(line[at], "\n") {
			d.Out.WriteString("\\ No newline at end of file\n")
		}
	}
	if d.unified {
		fmt.Fprintf(d.Out, "@@ -%s +%s @@\n", span(first.x, toX), span(first.y, toY))
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
	fmt.Fprintf(d.Out, "%s%s%s\n", lineRange(first.x, toX), letter, lineRange(first.y, toY))
	for _, e := range edits {
		if e.kind == '-' {
			show("< ", e)
		}
	}
	if letter == "c" {
		d.Out.WriteString("---\n")
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

// editsOf finds the longest common part of two lists of lines and what leads from one to the other. Between what the
// beginnings and the ends have in common it takes time and room of their product, or beyond a bound of what differs.
func editsOf(t *kit.Tool, x, y []string, key func(string) string) []edit {
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
		return fewestEdits(t, x, y, from, to, key)
	}
	t.P.Allocate(int64(n * m * 4))
	defer t.P.Allocate(-int64(n * m * 4))
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
		t.P.Spend(container.CommandCost)
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
	if !kit.Has(d.opts, 'B') {
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

// Comm compares two sorted files line by line.
func Comm(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "123", false, nil)
	if !ok || len(names) != 2 {
		return t.Fail("two files are needed")
	}
	a, b, ok := both(t, names, false)
	if !ok {
		t.Status = 1
		return t.End()
	}
	x, y := diffLines(a), diffLines(b)
	show := func(column int, line string) {
		if kit.Has(opts, byte('0'+column)) {
			return
		}
		for c := 1; c < column; c++ {
			if !kit.Has(opts, byte('0'+c)) {
				t.Out.WriteByte('\t')
			}
		}
		t.Out.WriteString(strings.TrimSuffix(line, "\n") + "\n")
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
	return t.End()
}
