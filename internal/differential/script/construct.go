package script

// LeastShare is the share of scripts that each named construct has to occur in.
const LeastShare = 0.02

// Named returns the constructs that scripts of a dialect have to exercise, each in LeastShare of them.
func Named(d Dialect) []string {
	if d == Utilities {
		return []string{
			"sed", "grep", "awk", "jq", "sort", "find", "cut", "tr", "xargs", "printf", "date", "head and tail", "wc", "diff", "tar",
			"checksums and encodings", "other filters", "seq", "expr", "paths", "ls", "cp, mv, rm, ln", "modes",
			"environment and processes", "several utilities", "GNU options",
		}
	}
	names := []string{
		"single quotes", "double quotes", "backslashes", "$'…'", "${x:-word}", "${x#pattern}", "${#x}", "command substitution",
		"positional parameters", "pipelines", "redirections", "traps", "LINENO in traps", "arithmetic", "mistakes in arithmetic",
		"mistakes when reached", "case", "functions", "a function's body, and what follows", "subshells", "((a); b)",
		"here-documents", "background jobs", "snapshots of children", "declarations", "let", "echo with escapes", "[ ]",
		"[[ ]]", "scripts from pipes", "set -x", "set -e", "source", "IFS",
	}
	if d == Bash {
		names = append(names,
			"arrays", "associative arrays", "$((a; b) | c)", "${x^}", "${!x}", "BASH_SOURCE", "FUNCNAME", "BASH_LINENO", "BASH_SUBSHELL",
			"BASH_VERSINFO", "BASH_COMMAND", "PIPESTATUS", "caller", "pushd, popd, dirs", "compgen", "mapfile", "printf %q",
			"printf %(…)T", "[ -v ]", "declare -f", "process substitution",
		)
	}
	if d != Bash {
		names = append(names, "PATH", "scopes")
	}
	return names
}
