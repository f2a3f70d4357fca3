package shell

import "strings"

// syntaxOf is how a built-in of bash is called.
type syntaxOf struct {
	// options are its letters, with a colon behind those that take an argument. "-" is a built-in that reads its words
	// itself.
	options string
	usage   string
}

// usages has what bash says of its built-ins.
var usages = map[string]syntaxOf{
	".":         {"", "filename [arguments]"},
	"alias":     {"p", "[-p] [name[=value] ... ]"},
	"bg":        {"-", "[job_spec ...]"},
	"bind":      {"lvpVPsSXf:q:u:m:r:x:", "[-lpsvPSVX] [-m keymap] [-f filename] [-q name] [-u name] [-r keyseq] [-x keyseq:shell-command] [keyseq:readline-function or readline-command]"},
	"builtin":   {"", "[shell-builtin [arg ...]]"},
	"caller":    {"-", "[expr]"},
	"cd":        {"eLP", "[-L|[-P [-e]] [-@]] [dir]"},
	"command":   {"pvV", "[-pVv] command [arg ...]"},
	"compgen":   {"abcdefgjko:prsuvA:G:W:P:S:X:F:C:V:", "[-abcdefgjksuv] [-o option] [-A action] [-G globpat] [-W wordlist] [-F function] [-C command] [-X filterpat] [-P prefix] [-S suffix] [word]"},
	"complete":  {"abcdefgjko:prsuvA:G:W:P:S:X:F:C:DEI", "[-abcdefgjksuv] [-pr] [-DEI] [-o option] [-A action] [-G globpat] [-W wordlist] [-F function] [-C command] [-X filterpat] [-P prefix] [-S suffix] [name ...]"},
	"compopt":   {"-", "[-o|+o option] [-DEI] [name ...]"},
	"declare":   {"-", "[-aAfFgiIlnrtux] [name[=value] ...] or declare -p [-aAfFilnrtux] [name ...]"},
	"dirs":      {"-", "[-clpv] [+N] [-N]"},
	"disown":    {"ahr", "[-h] [-ar] [jobspec ... | pid ...]"},
	"enable":    {"adnpsf:", "[-a] [-dnps] [-f filename] [name ...]"},
	"eval":      {"", "[arg ...]"},
	"exec":      {"cla:", "[-cl] [-a name] [command [argument ...]] [redirection ...]"},
	"export":    {"-", "[-fn] [name[=value] ...] or export -p"},
	"fc":        {"e:lnrs", "[-e ename] [-lnr] [first] [last] or fc -s [pat=rep] [command]"},
	"fg":        {"-", "[job_spec]"},
	"getopts":   {"", "optstring name [arg ...]"},
	"hash":      {"dlp:rt", "[-lr] [-p pathname] [-dt] [name ...]"},
	"help":      {"dms", "[-dms] [pattern ...]"},
	"history":   {"acd:npsrw", "[-c] [-d offset] [n] or history -anrw [filename] or history -ps arg [arg...]"},
	"jobs":      {"lpnxrs", "[-lnprs] [jobspec ...] or jobs -x command [args]"},
	"kill":      {"-", "[-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]"},
	"local":     {"-", "[option] name[=value] ..."},
	"mapfile":   {"d:u:n:O:tC:c:s:", "[-d delim] [-n count] [-O origin] [-s count] [-t] [-u fd] [-C callback] [-c quantum] [array]"},
	"popd":      {"-", "[-n] [+N | -N]"},
	"printf":    {"v:", "[-v var] format [arguments]"},
	"pushd":     {"-", "[-n] [+N | -N | dir]"},
	"pwd":       {"LP", "[-LP]"},
	"read":      {"ersa:d:i:n:p:t:u:N:", "[-ers] [-a array] [-d delim] [-i text] [-n nchars] [-N nchars] [-p prompt] [-t timeout] [-u fd] [name ...]"},
	"readarray": {"d:u:n:O:tC:c:s:", "[-d delim] [-n count] [-O origin] [-s count] [-t] [-u fd] [-C callback] [-c quantum] [array]"},
	"readonly":  {"-", "[-aAf] [name[=value] ...] or readonly -p"},
	"set":       {"-", "[-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]"},
	"shopt":     {"psuoq", "[-pqsu] [-o] [optname ...]"},
	"source":    {"", "filename [arguments]"},
	"suspend":   {"f", "[-f]"},
	"times":     {"", ""},
	"trap":      {"lp", "[-lp] [[arg] signal_spec ...]"},
	"type":      {"afptP", "[-afptP] name [name ...]"},
	"typeset":   {"-", "[-aAfFgiIlnrtux] name[=value] ... or typeset -p [-aAfFilnrtux] [name ...]"},
	"ulimit":    {"SHabcdefiklmnpqrstuvxPRT", "[-SHabcdefiklmnpqrstuvxPRT] [limit]"},
	"umask":     {"Sp", "[-p] [-S] [mode]"},
	"unalias":   {"a", "[-a] name [name ...]"},
	"unset":     {"fnv", "[-f] [-v] [-n] [name ...]"},
	"wait":      {"fnp:", "[-fn] [-p var] [id ...]"},
}

// performBuiltin runs a built-in. Bash has a look at its options first.
func (s *shell) performBuiltin(b builtin, args []string) int {
	if s.kind == bash {
		if s.tolerant > 0 && s.options.errexit {
			switch args[0] {
			case "eval", "source", ".", "command": // in a condition, these run without the option
				s.options.errexit = false
				defer func() { s.options.errexit = true }()
			}
		}
		if u, ok := usages[args[0]]; ok && u.options != "-" && !s.validOptions(u, args) {
			s.misused = true
			return statusUsage
		}
	}
	return b(s, args)
}

// validOptions checks the options of a built-in, and complains about the first that there is not.
func (s *shell) validOptions(u syntaxOf, args []string) bool {
	for i := 1; i < len(args); i++ {
		arg := args[i]
		if len(arg) < 2 || arg[0] != '-' || arg == "--" {
			return true
		}
		for j := 1; j < len(arg); j++ {
			at := strings.IndexByte(u.options, arg[j])
			if at < 0 || arg[j] == ':' {
				s.invalidOption(args[0], "-"+arg[j:j+1])
				return false
			}
			if at+1 == len(u.options) || u.options[at+1] != ':' {
				continue
			}
			if j+1 == len(arg) {
				if i++; i == len(args) {
					s.complain("-" + arg[j:j+1] + ": option requires an argument")
					s.usage(args[0])
					return false
				}
			}
			break
		}
	}
	return true
}

// invalidOption complains about an option of a built-in of bash.
func (s *shell) invalidOption(name, option string) {
	s.complain(option + ": invalid option")
	s.usage(name)
}

// usage prints how a built-in of bash is called.
func (s *shell) usage(name string) {
	text := name + ": usage: " + name
	if u := usages[name]; u.usage != "" {
		text += " " + u.usage
	}
	s.print(2, text+"\n")
}

// leadingFlags takes the options without values from the beginning of arguments, and a "--" behind them. flags are their
// letters.
func leadingFlags(args []string) (flags string, rest []string) {
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		flag := args[0][1:]
		if args = args[1:]; flag == "-" {
			break
		}
		flags += flag
	}
	return flags, args
}
