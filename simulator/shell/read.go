package shell

import (
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
	"github.com/plumbline-ci/plumbline/simulator/userland/condition"
)

// builtinRead is read.
func builtinRead(s *shell, args []string) int {
	raw, array, count, exact := false, "", -1, -1
	delim := byte('\n')
	fd := 0
	var deadline time.Time
	args = args[1:]
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		opts := args[0][1:]
		args = args[1:]
		if opts == "-" {
			break
		}
		for i := 0; i < len(opts); i++ {
			l := opts[i]
			if s.kind != bash && strings.IndexByte(readOptions(s.kind), l) < 0 {
				s.illegalOption(rune(l))
				return statusUsage
			}
			if l == 'r' {
				raw = true
				continue
			}
			if l == 's' || l == 'e' {
				continue
			}
			value := opts[i+1:]
			if value == "" && len(args) > 0 {
				value = args[0]
				args = args[1:]
			}
			i = len(opts)
			switch l {
			case 'p':
				if s.p.IsOpen(0) && condition.TestUnary(s.p, "-t", "0") {
					s.print(2, value)
				}
			case 'd':
				delim = 0
				if value != "" {
					delim = value[0]
				}
			case 'n', 'N':
				n, err := strconv.Atoi(value)
				if err != nil && s.kind == ash {
					s.complain("invalid count")
					return statusUsage
				}
				if err != nil {
					s.complain("Illegal number: " + value)
					return statusUsage
				}
				if count = n; l == 'N' {
					exact = n
				}
			case 'u':
				var err error
				if fd, err = strconv.Atoi(value); err != nil && s.kind == ash {
					s.complain("invalid file descriptor")
					return statusUsage
				}
				if s.kind == bash && !s.p.IsOpen(fd) {
					s.complain(value + ": invalid file descriptor: Bad file descriptor")
					return 1
				}
			case 't':
				secs, err := strconv.ParseFloat(value, 64)
				switch {
				case s.kind == ash && (err != nil || secs < 0):
					s.complain("invalid timeout")
					return statusUsage
				case s.kind == ash && secs == 0: // whether there is something to read
					return int(1 - truth(s.p.Readable(0, s.p.Now())))
				case err != nil:
					s.complain("invalid timeout: " + value)
					return 1
				}
				deadline = s.p.Now().Add(time.Duration(secs * float64(time.Second)))
			case 'a':
				array = value
			default:
				s.complain("illegal option -" + string(l))
				return statusUsage
			}
		}
	}
	if len(args) == 0 && s.kind == dash {
		s.complain("arg count")
		return statusUsage
	}
	if s.kind == bash && len(args) > 0 && !s.isReadable(args[0]) { // it does not read then
		return 1
	}
	if array != "" && !syntax.IsName(array) {
		s.complain("`" + array + "': not a valid identifier")
		return 1
	}
	line, escaped, ended, err := s.readInput(fd, delim, raw, count, exact >= 0, deadline)
	if err != nil && s.kind == bash {
		s.complain("read error: " + strconv.Itoa(fd) + ": " + files.Message(err))
		return 1
	}
	status := 0
	if !ended {
		status = 1
	}
	if len(s.caught) > 0 && !ended && line == "" {
		status = statusSignalBase + int(s.caught[0])
	}
	if array != "" {
		if s.vars[s.target(array)].table != nil {
			s.complain(array + ": not an indexed array")
			return 1
		}
		if err := s.assignFields(array, s.splitRead(line, escaped, -1)); err != nil {
			s.failing("", err)
			return 1
		}
		return status
	}
	if len(args) == 0 {
		if err := s.assign("REPLY", line); err != nil {
			s.failing("", err)
			return 1
		}
		return status
	}
	var parts []string
	if exact >= 0 {
		parts = []string{line}
	} else {
		parts = s.splitRead(line, escaped, len(args))
	}
	for i, name := range args {
		if s.kind != bash && !syntax.IsName(name) {
			if s.kind == ash {
				s.print(2, s.name+": read: '"+name+"': bad variable name\n")
				return 1
			}
			s.complain(name + ": bad variable name")
			return statusUsage
		}
		if s.kind == bash && !s.isReadable(name) {
			return 1
		}
		value := ""
		if i < len(parts) {
			value = parts[i]
		}
		if err := s.assignNamed(name, value); err != nil {
			if s.kind == bash {
				s.failing("", err)
				return 1
			}
			s.complain(err.Error())
			return statusUsage
		}
	}
	return status
}

// readOptions are the letters of read's options in ash and dash.
func readOptions(kind dialect) string {
	if kind == dash {
		return "pr"
	}
	return "pursntd"
}

// isReadable reports whether read of bash can set a variable or element of this name, and complains if it cannot.
func (s *shell) isReadable(name string) bool {
	base, index, isElement := strings.Cut(name, "[")
	if syntax.IsName(base) && (!isElement || len(index) > 1 && strings.HasSuffix(index, "]")) {
		return true
	}
	s.complain("`" + name + "': not a valid identifier")
	return false
}

// readAStep is how many bytes that a shell reads one by one count as one command.
const readAStep = 4

// readInput reads up to a delimiter. escaped marks the bytes that a backslash protects from being split. ended is
// false at the end of the input, a timeout or a signal; err says why the input could not be read.
func (s *shell) readInput(fd int, delim byte, raw bool, count int, exact bool, deadline time.Time) (line string, escaped []bool, ended bool, err error) {
	var out []byte
	buf := make([]byte, 1)
	slash := false
	for n := 1; count < 0 || len(out) < count; n++ {
		if n%readAStep == 0 {
			s.p.Work(1)
		}
		if !deadline.IsZero() && !s.p.Readable(fd, deadline) {
			return string(out), escaped, false, nil
		}
		n, err := s.p.Read(fd, buf)
		if err != nil || n == 0 {
			s.collect()
			if errno := files.Errno(err); errno != syscall.EBADF && errno != syscall.EISDIR {
				err = nil
			}
			if slash && len(out) == 0 && s.kind == bash { // which keeps its own sign for the backslash
				return "\x01", []bool{true}, false, err
			}
			return string(out), escaped, false, err
		}
		c := buf[0]
		switch {
		case c == 0 && delim != 0:
			continue
		case slash:
			slash = false
			if c == '\n' {
				continue
			}
			out, escaped = append(out, c), append(escaped, true)
			continue
		case c == '\\' && !raw:
			slash = true
			continue
		case c == delim && !exact:
			return string(out), escaped, true, nil
		}
		out, escaped = append(out, c), append(escaped, false)
	}
	return string(out), escaped, true, nil
}

func (s *shell) readLine(fd int, delim byte) (string, bool) {
	line, _, ok, _ := s.readInput(fd, delim, true, -1, false, time.Time{})
	return line, ok
}

// withoutEscapedBlanks returns where the rest of a line ends for bash, which drops blanks at the end of several words even if
// they are escaped.
func (s *shell) withoutEscapedBlanks(line string, escaped []bool, from, end int) int {
	ifs := s.ifs()
	several := false
	for i := from; i < end; i++ {
		several = several || !escaped[i] && strings.IndexByte(ifs, line[i]) >= 0
	}
	for several && end > from && strings.IndexByte(ifs, line[end-1]) >= 0 && strings.IndexByte(" \t\n", line[end-1]) >= 0 {
		end--
	}
	return end
}

// splitRead splits a line for read into at most n fields; the last takes the rest.
func (s *shell) splitRead(line string, escaped []bool, n int) []string {
	if s.kind == ash {
		return splitReadOfAsh(line, escaped, n, s.ifs())
	}
	ifs := s.ifs()
	isSpace := func(i int) bool {
		return !escaped[i] && strings.IndexByte(ifs, line[i]) >= 0 && strings.IndexByte(" \t\n", line[i]) >= 0
	}
	isDelim := func(i int) bool { return !escaped[i] && strings.IndexByte(ifs, line[i]) >= 0 }
	i, end := 0, len(line)
	for i < end && isSpace(i) {
		i++
	}
	for end > i && isSpace(end-1) {
		end--
	}
	var out []string
	for i < end {
		if n > 0 && len(out) == n-1 {
			if s.kind == dash { // which drops what is escaped behind the last blank
				for last := end; ; last = end {
					for last > i && escaped[last-1] {
						last--
					}
					if last == end || last == i || !isSpace(last-1) {
						break
					}
					for end = last; end > i && isSpace(end-1); {
						end--
					}
				}
			}
			if s.kind == bash {
				end = s.withoutEscapedBlanks(line, escaped, i, end)
			}
			rest := line[i:end]
			// One delimiter at the end of the rest goes, if it is the only one.
			if isDelim(end-1) && !isSpace(end-1) {
				alone := end - 1
				for alone > i && isSpace(alone-1) {
					alone--
				}
				only := true
				for j := i; j < alone; j++ {
					only = only && !isDelim(j)
				}
				if only {
					rest = line[i:alone]
				}
			}
			return append(out, rest)
		}
		start := i
		for i < end && !isDelim(i) {
			i++
		}
		out = append(out, line[start:i])
		for i < end && isSpace(i) {
			i++
		}
		if i < end && isDelim(i) && (i == start || !isSpace(i)) {
			i++
			for i < end && isSpace(i) {
				i++
			}
		}
	}
	return out
}

// splitReadOfAsh does that for ash. To it, a byte behind a backslash does not begin a field: blanks behind it are left out as
// those before the field are.
func splitReadOfAsh(line string, escaped []bool, n int, ifs string) []string {
	const (
		inside = iota // of a field
		behindDelimiter
		behindBlank // one delimiter belongs to the blanks
	)
	isDelim := func(c byte) bool { return strings.IndexByte(ifs, c) >= 0 }
	isBlank := func(c byte) bool { return strings.IndexByte(" \t\n\v\f\r", c) >= 0 }
	at := behindDelimiter
	var out []string
	var field []byte
	for i := range len(line) {
		c := line[i]
		if !escaped[i] {
			if at != inside && isDelim(c) {
				if isBlank(c) {
					continue
				}
				if at--; at == behindDelimiter {
					continue
				}
			}
			at = inside
			if len(out)+1 < n && isDelim(c) {
				out, field = append(out, string(field)), field[:0]
				if at = behindDelimiter; isBlank(c) {
					at = behindBlank
				}
				continue
			}
		}
		field = append(field, c)
	}
	end := len(field)
	for end > 0 && isDelim(field[end-1]) && isBlank(field[end-1]) {
		end--
	}
	if end > 0 && isDelim(field[end-1]) { // it goes, with the blanks before it, if it is the only one
		alone := end - 1
		for alone > 0 && isDelim(field[alone-1]) && isBlank(field[alone-1]) {
			alone--
		}
		if !slices.ContainsFunc(field[:alone], isDelim) {
			end = alone
		}
	}
	return append(out, string(field[:end]))
}

// builtinMapfile is bash's mapfile.
func builtinMapfile(s *shell, args []string) int {
	trim, name, callback := false, "MAPFILE", ""
	delim := byte('\n')
	count, skip, origin, fd, quantum := 0, 0, -1, 0, 5000
	args = args[1:]
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		opts := args[0][1:]
		args = args[1:]
		if opts == "-" {
			break
		}
		for i := 0; i < len(opts); i++ {
			l := opts[i]
			if l == 't' {
				trim = true
				continue
			}
			if strings.IndexByte("dnOsuCc", l) < 0 {
				s.complain("-" + string(l) + ": invalid option")
				s.print(2, "mapfile: usage: mapfile [-d delim] [-n count] [-O origin] [-s count] [-t] [-u fd] [-C callback] [-c quantum] [array]\n")
				return statusUsage
			}
			value := opts[i+1:]
			if value == "" {
				if len(args) == 0 {
					s.complain("-" + string(l) + ": option requires an argument")
					return statusUsage
				}
				value, args = args[0], args[1:]
			}
			i = len(opts)
			switch l {
			case 'd':
				if delim = 0; value != "" {
					delim = value[0]
				}
				continue
			case 'C':
				callback = value
				continue
			}
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 {
				s.complain(value + ": invalid line count")
				return 1
			}
			switch l {
			case 'n':
				count = n
			case 's':
				skip = n
			case 'O':
				origin = n
			case 'u':
				fd = n
			case 'c':
				quantum = max(n, 1)
			}
		}
	}
	if len(args) > 0 {
		name = args[0]
	}
	if !syntax.IsName(name) {
		s.complain("`" + name + "': not a valid identifier")
		return 1
	}
	if !s.p.IsOpen(fd) {
		s.complain(strconv.Itoa(fd) + ": invalid file descriptor: Bad file descriptor")
		return 1
	}
	name = s.target(name)
	v := s.vars[name]
	if v.readonly {
		s.failing("", s.readonly(name))
		return 1
	}
	if v.table != nil {
		s.complain(name + ": not an indexed array")
		return 1
	}
	if origin < 0 {
		s.hold(-v.bytes())
		v.list, v.value, v.set = nil, "", false
		origin = 0
	}
	l := s.ownList(&v)
	v.set, v.value = true, ""
	for n := 0; count == 0 || n < count; {
		line, ended := s.readLine(fd, delim)
		if !ended && line == "" {
			break
		}
		if skip > 0 {
			skip--
			continue
		}
		if ended && !trim && delim != 0 {
			line += string(delim)
		}
		n++
		if callback != "" && n%quantum == 0 {
			s.store(name, v)
			base, command := s.base, s.command
			s.base, s.command = max(s.line, 1)-1, ""
			s.run(callback+" "+strconv.Itoa(origin)+" "+quoteSingle(line), false)
			s.base, s.command = base, command
			v = s.vars[name]
			l = s.ownList(&v)
		}
		value, err := s.converted(v, line)
		if err != nil {
			s.store(name, v)
			s.failing("", err)
			return 1
		}
		s.setIndex(l, origin, value)
		origin++
	}
	s.store(name, v)
	return 0
}
