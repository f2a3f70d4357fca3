package listed

import (
	"regexp"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/internal/differential/script"
)

var (
	evalReturns      = regexp.MustCompile(`\beval\b[^|&\n]*\breturn\b[^|&\n]*(\|&? |& )`)
	openSubstitution = regexp.MustCompile("eval: line \\d+: unexpected EOF while looking for matching `\\)'")
	arrayBehindTwo   = regexp.MustCompile(`(?s)\(\(.*=\(`)
	bothLists        = regexp.MustCompile(`"[^"]*\$\{?(@|!\w+@|\w+\[@)[^"]*\$\{?!?(\*|\w+\*|\w+\[\*)|"[^"]*\$\{?!?(\*|\w+\*|\w+\[\*)[^"]*\$\{?(@|!\w+@|\w+\[@)`)
	asksForProgram   = regexp.MustCompile(`\b(type|command -[vV]p?|which|hash)\b`)
	usesAnswer       = regexp.MustCompile("(\\$\\(|`)(type|command -[vV]p?|which) [^)`]*[)`]|\\b(type|command -[vV]p?|which) [^|;&\\n]*\\|")
	tildeBefore      = regexp.MustCompile("~[$`]")
	changesInside    = regexp.MustCompile(`\(\(.*?(\+\+|--|[^=!<>]=[^=]).*?\)\)`)
	aliasDefined     = regexp.MustCompile(`\balias\b[^\n]*`)
	nameOfAlias      = regexp.MustCompile(`(\w+)=`)
	runsAsh          = regexp.MustCompile(`\bsh\b`) // in a script of bash too
	notFound         = regexp.MustCompile(`sh: (\w+): not found`)
	walksDirectory   = regexp.MustCompile(`\bfind\b|\bgrep\b.* -\w*r`)
	emptyPattern     = regexp.MustCompile(`\$\{\w+//?(/|\}|''|""|"?\$)`)
	slashBehind      = regexp.MustCompile(`\$\{\w+//?[^/}]+\}([^\s;|&]*|[^"]*)/|(?s)<<.*\$\{\w+//?[^/}]+\}.*/`)
	getoptsTwice     = regexp.MustCompile(`(?s)\bgetopts\b.*\bgetopts\b`)
	optionFromMemory = regexp.MustCompile(`illegal option -- [^ -~]`)
	processBehind    = regexp.MustCompile(`(?m)(\bdone|\bfi|\besac|\}|\)|\]\]) *[<>] *[<>]\(`)
	givesUpLine      = regexp.MustCompile(`(?m): (bad substitution|readonly variable|bad array subscript|invalid indirect expansion|invalid variable name)$|error token is`)
	lineOfMessage    = regexp.MustCompile(`(?m)^[\w./-]+: (line )?\d+: `)
	grepsWithout     = regexp.MustCompile(`\bgrep\b[^|;&\n]* -\w*(o\w*( [^|;&\n]*-\w*)?v|v\w*( [^|;&\n]*-\w*)?o)`)
)

// furtherApplets are applets of Debian's BusyBox that scripts are likely to call and the simulated image does not have.
var furtherApplets = strings.Fields("ar bc bzip2 cal clear cpio crc32 dc ed factor free ipcalc logname patch sha3sum shred su time ts tsort tree unzip uptime uuencode wget who xz")

// Kinds returns the list.
func Kinds() []Kind {
	return []Kind{
		{
			Name:    "BusyBox is its own path",
			Reason:  "Debian builds BusyBox so that its shell runs the applets inside without looking for files, and lists them in its help. The simulated image has them as files, as the usual images do, and says where they are.",
			Example: "type ls",
			Covers: func(c Case) bool {
				return (isAsh(c) || runsAsh.MatchString(c.Script)) && (usesAnswer.MatchString(c.Script) || strings.Contains(c.Sim.Stdout, "Built-in commands:") && c.Sim.Code == c.Real.Code || asksForProgram.MatchString(c.Script) && strings.Contains(c.Sim.Stdout, "/bin/") && c.Sim.Code == c.Real.Code)
			},
		},
		{
			Name:    "ash reads a variable late",
			Reason:  "In BusyBox ash an expression that changes a variable reads the variable's other places after the change: a defect, and nothing that a script can want.",
			Example: "n=0; echo $((010 ? n : n++))",
			Covers: func(c Case) bool {
				return isAsh(c) && changesInside.MatchString(c.Script) && c.Sim.Code == c.Real.Code
			},
		},
		{
			Name:    "awk without mathematics",
			Reason:  "Debian builds BusyBox's awk without exp, log, sqrt, sin, cos, atan2 and the operator ^. Usual images have them, and so has the simulator.",
			Example: "awk 'BEGIN { print 2^3 }'",
			Covers: func(c Case) bool {
				return strings.Contains(c.Real.Stderr, "Math support is not compiled in")
			},
		},
		{
			Name:    "jq dies",
			Reason:  "Jq 1.6 ends in a failed assertion, without its output, where a program gives it what it does not expect, as an array of something else than numbers to implode. The simulator says what is wrong.",
			Example: "jq -n '[[1]] | implode'",
			Covers: func(c Case) bool {
				return c.Real.Code == 134 && strings.Contains(c.Real.Stderr, "Assertion")
			},
		},
		{
			Name:    "grep -o -v",
			Reason:  "BusyBox's grep reads memory that is not its own when it is to print the matching parts of lines that do not match, and mostly dies of it.",
			Example: "echo a | grep -ov b",
			Covers: func(c Case) bool {
				return isAsh(c) && grepsWithout.MatchString(c.Script)
			},
		},
		{
			Name:    "ash greets",
			Reason:  "Debian builds BusyBox so that its shell prints a greeting when it becomes interactive, as the first option without a name makes it. The usual images build it without.",
			Example: "set -o ''; echo on",
			Covers: func(c Case) bool {
				return isAsh(c) && strings.Contains(c.Real.Stdout, "built-in shell (ash)")
			},
		},
		{
			Name:    "an applet that the image does not have",
			Reason:  "Debian builds BusyBox so that its shell runs every applet inside, also those that the simulated image does not have and reports as not found.",
			Example: "cal",
			Covers: func(c Case) bool {
				return isAsh(c) && !strings.Contains(c.Real.Stderr, "not found") && slices.ContainsFunc(notFound.FindAllStringSubmatch(c.Sim.Stderr, -1), func(m []string) bool {
					return slices.Contains(furtherApplets, m[1])
				})
			},
		},
		{
			Name:    "find without -delete",
			Reason:  "Debian builds BusyBox without find's -delete. It is part of BusyBox's default configuration, and of the busybox and alpine images.",
			Example: "find . -name x -delete",
			Covers: func(c Case) bool {
				return strings.Contains(c.Real.Stderr, "find: unrecognized: -delete")
			},
		},
		{
			Name:    "ash loses what follows a tilde",
			Reason:  "Where a tilde stands right before an expansion that gives nothing, BusyBox ash reads on in memory that is not its own, and loses the rest of the word: a defect.",
			Example: "printf '<%s>' ~$unset/x",
			Covers: func(c Case) bool {
				return isAsh(c) && tildeBefore.MatchString(c.Script) && c.Sim.Code == c.Real.Code
			},
		},
		{
			Name:    "ash replaces nothing",
			Reason:  "Where the pattern of ${x/pattern/word} is empty, BusyBox ash goes on behind the end of its string: it takes the pattern and the word for further fields, and between double quotes loses what follows: a defect.",
			Example: "a=abc; echo \"${a/}x\"",
			Covers: func(c Case) bool {
				return isAsh(c) && emptyPattern.MatchString(c.Script)
			},
		},
		{
			Name:    "ash takes a slash behind ${x/pattern}",
			Reason:  "Where no word is given to replace the pattern by, BusyBox ash looks for the slash before it beyond the closing brace. It takes what stands behind the next slash of the same text for the word, and loses the rest: a defect.",
			Example: "a=ab; echo \"${a/a}/b\"",
			Covers: func(c Case) bool {
				return isAsh(c) && slashBehind.MatchString(c.Script)
			},
		},
		{
			Name:    "bash goes on in a child",
			Reason:  "When a command of a pipeline or in the background is an eval that returns from the function around it, the child of bash does not end. It returns, and runs the rest of the script a second time: a defect.",
			Example: "f() { eval 'return 4' | cat; }\nf\necho twice",
			Covers: func(c Case) bool {
				return c.Dialect == script.Bash && evalReturns.MatchString(c.Script) && len(c.Real.Stdout+c.Real.Stderr) > len(c.Sim.Stdout+c.Sim.Stderr)
			},
		},
		{
			Name:    "bash dies of functions without end",
			Reason:  "A function that calls itself without end uses up bash's stack, and bash dies of it. The simulator ends the container, and says why.",
			Example: "f() { time f; }\nf",
			Covers: func(c Case) bool {
				died := c.Real.Code == 139 || strings.Contains(c.Real.Stdout+c.Real.Stderr, "139") // of the shell, or of a subshell
				return c.Dialect == script.Bash && died && strings.Contains(c.Sim.Failure, "nested")
			},
		},
		{
			Name:    "$@ and $* in the same quotes",
			Reason:  "Where both stand in one pair of double quotes, bash splits what the second has joined, or loses an empty element: a defect.",
			Example: "arr=(a b); a=1; printf '<%s>' \"${arr[@]}${!a*}\"",
			Covers: func(c Case) bool {
				return c.Dialect == script.Bash && c.Sim.Code == c.Real.Code && bothLists.MatchString(c.Script)
			},
		},
		{
			Name:    "ash after an alias and an operator",
			Reason:  "Where an operator stands right behind the name of an alias, BusyBox ash loses the character behind the operator: a defect.",
			Example: "alias e='echo x'\ne>/tmp/o",
			Covers: func(c Case) bool {
				return isAsh(c) && aliasThenSign(c.Script)
			},
		},
		{
			Name:    "the order of a directory",
			Reason:  "BusyBox's grep -r and find, and bash's compgen -G, go through a directory in its own order, which is the file system's.",
			Example: "mkdir q; : > q/a; : > q/b; find q -type f",
			Covers: func(c Case) bool {
				walks := isAsh(c) && walksDirectory.MatchString(c.Script) || c.Dialect == script.Bash && strings.Contains(c.Script, "compgen -G")
				return walks && c.Sim.Code == c.Real.Code && sameLines(c.Sim.Stdout, c.Real.Stdout)
			},
		},
		{
			Name:    "bash uses memory that is not its own",
			Reason:  "When the text that bash evaluates ends inside of a command substitution, or when two parentheses that are no arithmetic hold an array with a sign in it that may not stand there, bash writes to memory that is not its own, and mostly dies of it sooner or later. When getopts is called with other arguments before it has come to the end of a group of options, bash goes on where the group was in memory, and takes whatever stands there for options. When a line is given up because of a mistake, and the next one begins with <(…) or >(…) behind a compound command, the child is to close the descriptors of a list that is gone, and mostly dies of it before it has run anything: defects of one kind.",
			Example: "eval 'echo $('\n: $((1 + 2)) $(echo)",
			Covers: func(c Case) bool {
				array := arrayBehindTwo.MatchString(c.Script) && strings.Contains(c.Real.Stderr, "syntax error near unexpected token")
				dies := (c.Real.Code == 134 || c.Real.Code == 139) && (array || openSubstitution.MatchString(c.Real.Stderr))
				group := getoptsTwice.MatchString(c.Script) && optionFromMemory.MatchString(c.Real.Stderr)
				child := processBehind.MatchString(c.Script) && givesUpLine.MatchString(c.Real.Stderr) && len(c.Real.Stdout+c.Real.Stderr) < len(c.Sim.Stdout+c.Sim.Stderr) // since less was read
				return c.Dialect == script.Bash && (dies || group || child)
			},
		},
		{
			Name:    "dash dies",
			Reason:  "Now and then dash, or a subshell of it, ends by a segmentation fault in a long script, depending on what its memory looks like: a defect.",
			Example: "",
			Covers: func(c Case) bool {
				died := c.Real.Code == 139 && c.Sim.Code != 139 || strings.Contains(c.Real.Stderr, "Segmentation fault") && !strings.Contains(c.Sim.Stderr, "Segmentation fault")
				return c.Dialect == script.Dash && died && !strings.Contains(c.Script, "SEGV")
			},
		},
		{
			Name:    "what the commands of a pipeline say",
			Reason:  "With set -x, and where standard error goes to standard output, all commands of a pipeline write to the trace and complain in an order that depends on which process is faster.",
			Example: "",
			Covers: func(c Case) bool {
				says := strings.Contains(c.Script, "set -x") || strings.Contains(c.Script, "2>&1") && lineOfMessage.MatchString(c.Real.Stdout)
				return says && strings.Contains(c.Script, "|") && c.Sim.Code == c.Real.Code && sameLines(c.Sim.Stdout, c.Real.Stdout)
			},
		},
		{
			Name:    "a pipe without a reader",
			Reason:  "Whether the writer of a pipeline is killed by SIGPIPE depends on which process is faster, and with pipefail or set -e that shows.",
			Example: "",
			Covers: func(c Case) bool {
				return (c.Real.Code == 141 || c.Sim.Code == 141 || strings.Contains(c.Sim.Stderr+c.Real.Stderr, "signal 13") || strings.Contains(c.Sim.Stdout+c.Real.Stdout, "141")) && strings.Contains(c.Script, "|")
			},
		},
	}
}

// aliasThenSign reports whether a redirection or an ampersand stands right behind the name of an alias.
func aliasThenSign(text string) bool {
	for _, command := range aliasDefined.FindAllString(text, -1) {
		for _, m := range nameOfAlias.FindAllStringSubmatch(command, -1) {
			if regexp.MustCompile(`\b` + m[1] + `[<>&]`).MatchString(text) {
				return true
			}
		}
	}
	return false
}

// sameLines reports whether two texts have the same lines in some order.
func sameLines(a, b string) bool {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// isAsh reports whether the shell of a case is BusyBox ash.
func isAsh(c Case) bool { return c.Dialect == script.Ash || c.Dialect == script.Utilities }
