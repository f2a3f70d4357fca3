package script

import "strings"

// input is what utilities work on.
const input = `printf 'apple 3 x\nbanana 12 y\ncherry 7 z\napple 3 x\nBanana 5 y\n\n  lead 1\nzed -4 é\n10 9 8\n9 10 2\n' > f1
printf 'a:1:x\nb:22:y\nc::z\nd\n:e:\n' > f2; printf 'one\ttwo\tthree\nfour  five\n\tsix\nseven\n' > f3; printf 'no newline at end' > f4; : > f5
i=1; while [ $i -le 20 ]; do echo $i; i=$((i+1)); done > f6; printf 'key=val\n# comment\nk2 = v2 # x\n[sec]\npath=/a/b\n' > f7; printf 'apple 3 x\ncherry 8 z\nnew\n' > f8
mkdir -p d/e/g; echo A > d/a.txt; echo BB > d/b.log; echo C > d/e/c.txt; : > d/e/g/empty; ln -s a.txt d/lnk; echo h > d/.hid; touch -d '2000-01-01 00:00:00' d/a.txt d/b.log d/e/c.txt d/e/g/empty; chmod 600 d/b.log; chmod 755 d/e/c.txt
cp -r d d2; echo changed > d2/a.txt; rm d2/e/c.txt; echo new > d2/new`

// utilityCall is the parts of a script that calls one utility.
func (g *generator) utilityCall() []string {
	families := []struct {
		name   string
		weight int
		call   func() string
	}{
		{"sed", 8, g.sed}, {"grep", 6, g.grep}, {"awk", 9, g.awk}, {"jq", 12, g.jq}, {"sort", 4, g.sort}, {"find", 5, g.find}, {"cut", 4, g.cut}, {"tr", 4, g.tr},
		{"xargs", 4, g.xargs}, {"printf", 4, g.printfUtility}, {"date", 4, g.date}, {"head and tail", 4, g.ends}, {"wc", 4, g.wc}, {"uniq", 3, g.uniq}, {"diff", 4, g.diff},
		{"tar", 4, g.tar}, {"checksums and encodings", 4, g.encode}, {"other filters", 5, g.filter}, {"seq", 4, g.seq}, {"expr", 4, g.expr}, {"paths", 4, g.paths}, {"ls", 4, g.list},
		{"cp, mv, rm, ln", 5, g.manage}, {"modes", 4, g.modes}, {"environment and processes", 4, g.system}, {"test", 3, g.testUtility}, {"several utilities", 4, g.chain}, {"GNU options", 4, g.gnu},
	}
	total := 0
	for _, f := range families {
		total += f.weight
	}
	n := g.r.IntN(total)
	for _, f := range families {
		if n -= f.weight; n < 0 {
			g.mark(f.name)
			call := f.call()
			if f.name == "jq" || f.name == "printf" || f.name == "expr" || f.name == "seq" {
				return []string{call, `echo "rc=$?"`}
			}
			return append(strings.Split(input, "\n"), call, `echo "rc=$?"`)
		}
	}
	return nil
}

// utility is a short call of one, for a shell script.
func (g *generator) utility() string {
	return g.one("wc -l t1", "sort t1", "sed 's/o/0/g' t1", "sed -n 2p t1", "grep -n o t1", "grep -c x t1", "cut -d: -f2 t2", "tr a-z A-Z < t2", "head -n 1 t1", "tail -n 1 t1", "awk '{ print $1 }' t1", "ls", "ls d1", "basename $p", "dirname $p", "basename $p .gz",
		"seq 3", "expr $n + 1", "expr \"$a\" : 'f\\(.*\\)'", "mkdir d1/x; ls d1", "touch new; ls new", "rm -f nofile", "rm nofile", "cp t1 t9; cat t9", "find d1 -name '*.txt'", "xargs -n1 echo < t1", "printenv HOME", "env | grep HOME=", "test -f t1", "mktemp -u x", "sleep 0", "date -u -d @0 +%F", "uname -s", "id -u", "cmp t1 t2", "rev t2", "od -c t2", "tee o2 < t2", "stat -c %a t1", "readlink -f t1", "md5sum t1", "base64 t2", "true", "env -i sh -c 'echo $HOME'", "which sh nosuch", "diff t1 t1", "uniq t1", "sed '$d' t1")
}

// file is one file that utilities read, or two.
func (g *generator) file() string {
	return g.one("f1", "f1", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f1 f2", "nofile", "-", "f8")
}

// some returns none to most of the options, in random order.
func (g *generator) some(most int, options ...string) string {
	g.r.Shuffle(len(options), func(i, j int) { options[i], options[j] = options[j], options[i] })
	return strings.Join(options[:g.r.IntN(most+1)], " ")
}

// expression is a regular expression: basic, or extended.
func (g *generator) expression(extended bool) string {
	if g.chance(0.6) {
		return g.one("a", "an", "^a", "a$", "^$", "[0-9]", "[0-9]*", "[^a-z]", "b.*a", ".", "x$", "[[:space:]]", "[[:alpha:]]*", `\.`, "e.*", "ap*", "=", "^#", "é", "[A-Z]", "^[^#]", `\w`, `\<b`, "[]x]", "[a-", "*a", "^*", "a.c", `\bb`, "o", "p", "[[:upper:]][[:lower:]]*", ".*", "x*")
	}
	if extended {
		return g.one("z|x", "(a)(p)", `(.)\1`, "a{1,2}", "p+", "1?", "(an)+", "^(a|b)", "[0-9]+$", "a{2}", "(a|b|)", "()", "x{,2}", "a|b|c", "(", "a{1", "+a", "([a-z]+) ([0-9]+)")
	}
	return g.one(`z\|x`, `\(a\)\(p\)`, `\(.\)\1`, `a\{1,2\}`, `p\+`, `1\?`, `\(an\)*`, `^\(a\|b\)`, `[0-9]\+$`, `a\{2\}`, `\(`, "a{1}", "(a)", "a+", "a|b", `\([a-z]*\) \([0-9]*\)`)
}

func (g *generator) grep() string {
	extended := g.chance(0.4)
	options := g.some(3, "-v", "-i", "-n", "-c", "-o", "-w", "-x", "-l", "-L", "-q", "-h", "-H", "-s", "-m1", "-A1", "-B1", "-C1", "-e b", "-F", "-f f8", "-m 2", "-r")
	if extended {
		options = strings.TrimSpace("-E " + options)
	}
	call := "grep " + options + " " + singleQuoted(g.expression(extended)) + " " + g.one(g.file(), g.file(), "d/*", "d", "-r d", "f1 f7")
	if strings.Contains(call, "-r") {
		call += " | sort" // a directory has no order
	}
	return call
}

func (g *generator) sed() string {
	extended := g.chance(0.3)
	address := func() string {
		return g.one("", "", "", "1", "$", "2,3", "/a/", "/b/,/c/", "2!", "$!", "1~2", "0~3", "/x/I", "1,/a/", "0,/a/", "2,+1", "/^$/", "3,1", "/a/!", `\,e,`, "2,~4", "/"+strings.ReplaceAll(g.expression(extended), "/", `\/`)+"/", "2,$", "//")
	}
	command := func() string {
		return address() + g.do(
			func() string {
				return "s/" + strings.ReplaceAll(g.expression(extended), "/", `\/`) + "/" + g.one("X", "", "&&", "[&]", `\1`, `\n`, `a\/b`, `x\ny`, `\t`, `\&`, `<\0>`, `\2`) + "/" + g.one("", "g", "2", "p", "I", "gI", "2g", "w o1", "gp", "3")
			},
			func() string {
				return g.one("d", "p", "=", "y/abc/xyz/", "n", "N", "D", "P", "h", "H", "g", "G", "x", "q", "q5", "l", "r f4", "w o2", "b", "Q", "z", "F", "Q3")
			},
			func() string {
				return g.one("a\\\nTXT", "i\\\nTXT", "c\\\nTXT", "a text", "i  text", "c text", "a\\  lead", "$!a x", "a one\\\ntwo")
			},
			func() string {
				return g.one("{p;d}", "{s/a/b/;t;s/$/!/}", `N;s/\n/ /`, "s,/,:,g", "$!N;P;D", `:a;s/^\(.\{1,8\}\)$/ \1/;ta`, "s/a/b/;tx;s/$/-/;:x", "{ /x/d; s/ .*// }", "H;$!d;x;s/\\n/,/g", "n;d", "s/x/y/;T;s/y/Y/", "y/a/", "k", "s/a", "b nowhere", "}", "{p", "s/a/b/gg", "s/a/b/k")
			},
		)
	}
	text := g.many(1, 3, "\n", command)
	options := g.one("", "", "-n", "-s", "-z", "-i", "-n -e p", "-i.bak", "--quiet")
	if extended {
		options = strings.TrimSpace(g.one("-E", "-r") + " " + options)
	}
	if strings.Contains(options, "-i") {
		return "sed " + options + " -e " + singleQuoted(text) + " f1 f2; echo $?; cat f1 f2; ls *.bak 2>/dev/null"
	}
	return "sed " + options + " -e " + singleQuoted(text) + " " + g.file() + g.one("", "; echo $?; cat o1 o2 2>/dev/null")
}

func (g *generator) awk() string {
	e := func() string {
		return g.one("$1", "$2", "$NF", "NF", "NR", "$0", "length($0)", "substr($1,2,3)", `index($0,"a")`, "toupper($1)", "$2+1", "$2*1.5", `$1"-"$2`, "int($2/2)", "x++", `split($0,p,":")`, `sprintf("%5.2f|%-5s|%03d",$2,$1,$2)`, "$2%3", "-$2", "!$2", "$1~/a/", `$2>5?"big":"small"`, "$1 $2", "2^$2", "match($0,/[0-9]+/)", "RSTART", `gsub(/a/,"b")`, "length()", "substr($0,0,3)", "substr($0,-1)", "tolower($0)", "$(NF-1)", "$2==3", "$1<$2", "FNR", "FILENAME", "1/3", "100000*100000", "1e6", "0.1+0.2", `$2""`, "+$1", `"a" < "b"`, "10 < 9", "exp(1)", "sqrt(2)", "x[$1]++", "010+0", `"0x1f"+0`, "-3%2", `"3x"+1`, "int(-3.7)", `substr("hello",2)`, "1==1.0", "log(0)", "NR%2", "$5", "length", "1e300*1e300", `"\t|\\"`, "x y", "index(\"abc\",\"\")", "substr(\"hello\",2,100)", "substr(\"hello\",1.5,2)", "toupper(substr($1,1,1)) substr($1,2)", "NF?$NF:\"-\"", "$1 in x", "(1,2) in x", "RLENGTH", "-0", "1e-5", "123456789012", "3/2", "!x", "!\"\"", "1-1", "2**3", "$1$2", "$2 + $3", "0.1", "1000000", "1e20", "-1 \" \" -1")
	}
	pattern := g.one("", "", "", "NR==2", "/a/", "$2>5", "NR>1&&NR<4", "/a/,/c/", "!/a/", "NF", "END", "BEGIN", `$1=="apple"`, "NR%2", "$2~/^[0-9]+$/", "1", "NR==2,NR==4", "/x/||/y/", "$1!~/^[A-Z]/", "!seen[$0]++", "$NF==\"x\"")
	action := g.do(
		func() string { return "{ print " + e() + " }" },
		func() string { return "{ print " + e() + ", " + e() + " }" },
		func() string { return `{ printf "%s %d\n", ` + e() + ", " + e() + " }" },
		func() string { return "{ x = " + e() + "; print x, length(x) }" },
		func() string { return "{ if (" + e() + ") print " + e() + "; else print " + e() + " }" },
		func() string {
			return g.one(`{ sub(/`+g.one("a", "[0-9]+", "^", "$", "b*", ".")+`/,"[&]"); print }`, `{ n = gsub(/`+g.one("a", "[0-9]", "x*", "b*", "$", "^a", " ")+`/,"`+g.one("X", "[&]", `\\&`, "")+`"); print n, $0 }`)
		},
		func() string {
			return g.one("{ s+=$2 } END { print s, s/NR }", `{ a[$1]=a[$1] $2 } END { for (k in a) print k, a[k] | "sort" }`, `{ $2="X"; print }`, `{ $1=""; print NF, $0 }`, "{ NF=2; print }", `{ for (i=1;i<=NF;i++) printf "%s,", $i; print "" }`, "{ while (i<2) { i++; print i } }", "{ n=split($0,q,/[ :]/); print n, q[1], q[n] }", "{ next } END { print NR }", `{ print | "sort -r" }`, `{ "echo hi" | getline v; print v }`, "{ exit 3 } END { print \"end\" }", "{ getline; print }", "{ delete a; a[1]; print (1 in a), (2 in a), length(a) }", `{ printf "%c%5s|%-5d|%x|%o|%e|%%\n", $1, $1, $2, $2, $2, $2 }`, "{ print length }", `{ print $1 > "o1" } END { close("o1"); while ((getline l < "o1") > 0) print "r" l }`, "", "{ do { j++ } while (j<3); print j }", "{ $7=\"z\"; print; print NF }", "{ $0=\"a b\"; print $2, NF }", "BEGIN { print ARGC, ARGV[1]; print ENVIRON[\"HOME\"] }", "{ print NR\": \"$0 }", "{ print; nextfile }", "{ printf \"%s\" , $1 } END { printf \"\\n\" }", "{ print $1, $2 > \"/dev/stderr\" }", "{ system(\"echo sys\"); print system(\"exit 3\") }", "{ switch ($1) { case 1: print } }", "{ print substr($0, 2) ; a[NR]=$0 } END { for (i=NR;i>0;i--) print a[i] }", "{ m[$1,$2]=1 } END { for (k in m) { split(k, z, SUBSEP); n++ } print n }", "{ printf(\"%d %s\\n\", NR, $0) }", "{ x = x < $2 ? $2 : x } END { print x }", "{ print -$1 \" \" +$2 }", "{ c[length($0)]++ } END { for (i=0;i<20;i++) if (i in c) print i, c[i] }", "{ if (!/a/) next; print }", "{ print \"a\" \"b\" > \"/dev/stdout\" }", "{ printf \"%5s|%.2s|%-4s|%04d|%+d|%5.1f|%g|%i\\n\", $1, $1, $1, $2, $2, $2, $2, $2 }")
		},
	)
	program := pattern + " " + action
	switch {
	case (pattern == "END" || pattern == "BEGIN") && !strings.HasPrefix(action, "{"):
		program = pattern + " { print NR }"
	case strings.HasPrefix(action, "BEGIN"):
		program = action
	case pattern == "" && action == "":
		program = "1"
	case g.chance(0.06):
		program = g.one("{ print f($2) } function f(z) { return z*2 }", "function f(n) { return n<2 ? 1 : n*f(n-1) } { print f($2%6) }", "function s(a, i) { for (i=1;i<3;i++) a[i]=i } { s(b); print b[1] b[2] }", "BEGIN { while ((\"cat f2\" | getline l) > 0) n++; print n }", "BEGIN { printf \"%s\\n\" }", "{ print ) }", "BEGIN { print 1 > }", "BEGIN { getline; print; getline x; print x }", "BEGIN { f() }", "BEGIN { OFS=\"-\"; $0=\"a b c\"; $1=$1; print }", "BEGIN { RS=\"\" } { print NR, $1, NF }", "BEGIN { FS=\":\" } { print $2 }", "BEGIN { x[\"a\"]; if (\"a\" in x) print \"in\"; delete x[\"a\"]; print length(x) }", "BEGIN { printf \"%d %d\\n\", \"0x11\", 1e3; print substr(\"x\", 5) \"|\" }", "END { print $0, NR }", "BEGIN { CONVFMT=\"%.2g\"; a=3.14159; b=a \"\"; print b; OFMT=\"%.3f\"; print a }")
	}
	return "awk " + g.one("", "", "", "-F: ", "-F: ", "-F , ", `-F'\t' `, "-F'[ :]' ", "-v OFS=- ", "-v x=5 ", "-F' ' ", "-v 'RS=' ", "-v RS=: ", "-v ORS=' ' ", "-F'|' ", "-F. ", "-v FS=: ", `-v 'x=a\tb' `) + singleQuoted(program) + " " + g.file() + g.one("", "", "; echo $?", " x=9 f2")
}

func (g *generator) sort() string {
	return "sort " + g.some(3, "-n", "-r", "-u", "-k2", "-k2,2", "-k2n", "-k1,1r", "-t:", "-t: -k2n", "-f", "-b", "-s", "-c", "-k2,2nr -k1,1", "-k1.2", "-M", "-h", "-g", "-o o1", "-V", "-z", "-d", "-k3", "-t' ' -k2,2", "-i", "-k 1,1 -k 2,2n", "-C", "-m", "-k2.2,2.3", "-k0", "-t ab") + " " + g.file() + "; echo $?; cat o1 2>/dev/null"
}

func (g *generator) cut() string {
	return "cut " + g.one("-d: -f", "-f", "-c", "-b", "-d' ' -f", "-d: -s -f", "-d. -f", "-d , -f", "-n -b", "-d '' -f", "-f1 -c") + g.one("1", "2", "1,3", "2-", "-2", "1-2,4", "3,1", "0", "5", "2-1", "-", "a", "1-3,2-5", "1,1", "2-3,5-", "") + " " + g.file()
}

func (g *generator) tr() string {
	return "tr " + g.one("a-z A-Z", "-d a", `-d '\n'`, "-s ' '", `-cd '0-9\n'`, "a-c x", "abc xy", "'[:lower:]' '[:upper:]'", "-s a-z", "-c a-z _", "-d '[:space:]'", `' ' '\n'`, `'\n' ,`, "-ds a b", `a '\t'`, "'a-c' '1-3'", `'\141' X`, "-s 'a-z' 'A-Z'", `-C 'a-z\n' .`, "'[a-z]' '[A-Z]'", "", "a", `'\0' x`, "z-a x", "-d '[:digit:][:punct:]'", "-s '[:alpha:]'", `a-y b-z`, `'\\' /`, "-d a b", "-sd a b", "'[=a=]' x", "-cs '[:alnum:]' '\\n'", "a- xy", "'a-c-' 1234", "-t abc x", "'é' e", ": '\\n'") + " < " + g.one("f1", "f2", "f3", "f4", "f5", "f7")
}

func (g *generator) find() string {
	return "find " + g.one("d", "d", "d", "d/a.txt", "d nodir", "./d", ".", "d d2", "") + " " + g.one("", "-type f", "-type d", "-type l", "-name '*.txt'", "-name '.*'", "-maxdepth 1", "-mindepth 1 -maxdepth 1", "-size +0", "-empty", "! -name '*.txt'", "-name '*.txt' -o -name '*.log'", `\( -name a.txt -o -type d \) -print`, "-path '*/e/*'", "-iname 'A*'", `-exec echo {} \;`, "-exec printf '%s\\n' {} +", `-print0 | tr '\0' '\n'`, `-type f -exec grep -c . {} \;`, "-prune", "-name e -prune -o -print", "-perm 600", "-perm -100", "-perm /111", "-size -2c", "-size 1", "-links 1 -type f", "-regex '.*txt'", "-type f -delete; find d", "-not -type d", "-user root", "-maxdepth 0", "-depth", "-mtime +1", "-mtime -1", "-quit", "-name a.txt -quit", "-true", "-name", "-bogus", `-exec false {} \; -print`, `-exec test -f {} \; -print`, "-size +1c -a -type f", "-xdev", "-newer d/a.txt -type f", "-group 0 -name 'a*'", `-exec sh -c 'echo "$1" | tr a-z A-Z' _ {} \;`, "-type f,d", "-follow -name lnk", "-exec grep -l C {} +", "-maxdepth x", "-type x", "-path d/e -prune -o -type f -print", "! -path '*/.*' -type f", "-name '[ab].*'", "-exec", "-exec echo {}", `-ok echo {} \; </dev/null`, "-inum 0", "-false -o -print -a -name b.log", "-size 0", "-print -print", "-name a.txt -exec echo x{}y {} \\;", "-regex 'd/[ab].*'", "-mmin -5 -name f1", "-perm 9") + " | sort"
}

func (g *generator) xargs() string {
	return g.one(`printf 'a b\nc d\n'`, "cat f1", `printf "a 'b c' d\n"`, `printf 'a\0b c\0'`, "seq 1 7", ":", `printf 'x\\ y z'`, `printf "it's\n"`, `echo 'a "b c"'`, "cat f2", "printf '  lead\\n\\ntrail  \\n'") + " | xargs " + g.one("", "echo", "-n2 echo", "-n 1 echo x", "-I{} echo '<{}>'", "-0 echo", "-r echo hi", "-L1 echo", "-t echo", "-s 20 echo", "-I % sh -c 'echo %; exit 1'", "-n1 sh -c 'exit 255'", "-n1 false", "nosuch", "-n1", "-E c echo", "-n1 -I{} echo {}", "-x -n2 echo", "echo -n", "-I{} sh -c 'echo \"$1\"' _ {}", "-n 3 -t", "-0 -n1 echo", "-n 0 echo", "-P 1 -n 2 echo", "-r -n1 printf '[%s]'", "-n1 test -f", "-I{} printf '%s{}\\n' {}", "-e echo", "-n x echo", "-L 2 echo", "--no-run-if-empty echo z")
}

func (g *generator) printfUtility() string {
	return g.one("printf ", "/bin/printf ", "printf -- ") + singleQuoted(g.one(`%s\n`, `%d\n`, `%5s|%-5s|\n`, `%05d\n`, `%x\n`, `%c\n`, `%b\n`, `%.3f\n`, `%e\n`, `%g\n`, `%i %i\n`, `%%\n`, `%s %s\n`, `\101\x42\t|\n`, `%*d\n`, `%.2s\n`, `%+d\n`, `% d\n`, `%#x %#o\n`, `%-10.3f|\n`, `%5%|\n`, `%z\n`, "%", `abc\cdef\n`, `%u\n`, `%03d:%02d\n`, `%X\n`, `%ld\n`, `%10.4s|\n`, `\0101\n`, `\1012\n`, `\x4142\n`, `%s\0%s\n`, `%q\n`, `%-*s|\n`, `%.*f\n`, `%'d\n`, `\u00e9\n`, `%s`, `\e[1m\n`, `%G %E\n`, `%hd\n`, `%lld\n`, `plain`, `%1$s\n`, `%5c|\n`, `%08.3f\n`, `%+.2e\n`, `\`)) + " " +
		g.one("", "a", "1", "1 2 3", "abc", "-5", "0x1f", "010", "3.14159", "'a b' c", `"'A"`, "''", "1e3", "99999999999", `'x\ty\0101'`, "9223372036854775808", "-1 a", "+3", "' 7'", "'7 '", "1.5", "5 abc", "é", "-9223372036854775808", "0x", "08", "1.", ".5", "inf", "1,5", "4 2 1", "'\"'")
}

func (g *generator) date() string {
	return "date " + g.one("-u", "-u", "") + " " + g.one("-d @0", "-d @86399", "-d @1700000000 +%Y-%m-%dT%H:%M:%SZ", "-d @951782400 '+%j %U %u %w %a %A %b %B'", "-d '2020-02-29 12:34:56' +%s", "-d 2021-01-01 +%F", "-d '2021-01-01 00:00' '+%D %T %R %r %p %I %l %k %e'", "-d @-1", "-d @1", "-d 20200102 +%F", "-d @12.5 +%s", "-d bogus", "-d '2020-13-01'", "-d '12:30' +%H:%M", "+%%", "-d @0 '+%n%t%C%y%G%g%V'", "-d @0 +%Z%z", "-d '2020.01.02-03:04:05' +%s", "-D '%Y/%m/%d' -d 2020/03/04 +%F", "-d 202001020304.05 +%F", "-d '01020304' +%m", "-r d/a.txt +%F", "-d '2020-01-02T03:04:05' +%s", "-d '2020-01-02T03:04:05Z' +%s", "-d 'Jan 2 2020' +%F", "-d '2020-01-02 03:04:05 UTC' +%s", "-Iseconds -d @0", "-I -d @0", "-R -d @0", "-d @0 +%c", "-d @0 '+%x %X %h'", "-d yesterday", "-d now >/dev/null", "-Ihours -d @3600", "-d @0 '+%5Y|%-m'", "-d '2019-12-30' +%G-W%V-%u", "+%s | grep -c '^[0-9]*$'", "-d @1e3", "-d @0 +%N", "-d '1 day ago'", "-d @2147483648 +%F", "-z", "-d", "-d @0 +a +b", "-d '2020-06-15 10:00:00' '+%s %y%m%d-%H%M%S'", "-D %s -d 100 +%T", "-d @0 '+%q %E %Ey %O'", "-d ''")
}

func (g *generator) ends() string {
	return g.one("head", "tail") + " " + g.one("-n2", "-n 3", "-c5", "-n-2", "-n +3", "-c-3", "-c +4", "-1", "-q", "-v", "-n0", "-n+0", "-5", "-n1 -q", "-n1k", "-n a", "", "-c 2 -v", "-n 2 -c 3", "-n +2", "-c 0", "-n 100", "-z", "-n", "-c 1b", "-n1 -v") + " " + g.one("f1", "f6", "f4", "f1 f2", "f5", "nofile", "nofile f1", "- < f1", "f3 f4", "d")
}

func (g *generator) wc() string {
	return "wc " + g.some(2, "-l", "-w", "-c", "-m", "-L") + " " + g.one("f1", "f1 f2", "f4", "f5", "< f1", "nofile f1", "f3", "f1 f4 f5", "- < f2", "d", "-z f1")
}

func (g *generator) uniq() string {
	return g.one("sort f1 | ", "cat f1 | ", "printf 'a\\na\\nA\\nb\\n b\\na\\n' | ") + "uniq " + g.some(2, "-c", "-d", "-u", "-i", "-f1", "-s2", "-w3", "-f 1 -s 1", "-D", "-z") + g.one("", "", " - o1; cat o1")
}

func (g *generator) diff() string {
	return "diff " + g.some(2, "-u", "-q", "-r", "-b", "-w", "-B", "-i", "-U1", "-s", "-N", "-a", "-rq", "-L x -u", "-U 0", "-ru", "-rN", "-d", "-t") + " " + g.one("f1 f8", "f8 f1", "f1 f1", "f4 f5", "f1 nofile", "d d2", "d d2", "f5 f8", "f8 f5", "f4 f8", "f1 d", "- f1 < f8", "d d", "f6 f1", "d/a.txt d2", "f2 f7", "f1") + " | sed 's/\\t[0-9][0-9][0-9][0-9]-.*//'"
}

func (g *generator) tar() string {
	return "tar " + g.one("cf t.tar d; tar tf t.tar | sort", "czf t.tgz d && tar tzf t.tgz | sort", "cf t.tar -C d a.txt b.log; tar tf t.tar", "cf - d | tar xf - -C d/e; find d | sort", "cf t.tar --exclude '*.log' d; tar tf t.tar | sort", "cf t.tar d; mkdir z; tar xf t.tar -C z --strip-components=1; find z | sort", "xf nofile", "tf f1", "cf t.tar d; tar xOf t.tar d/a.txt", "cf t.tar nofile; echo $?", "cf t.tar d; tar xf t.tar d/b.log nofile; echo $?", "cvf t.tar d/a.txt", "cf t.tar d; rm -r d; tar xvf t.tar | sort; find d | sort", "cf t.tar d/lnk; tar tf t.tar", "chf t.tar d/lnk; rm -rf d; tar xf t.tar; cat d/lnk", "cf t.tar d; tar tvf t.tar d/a.txt | wc -l", "caf t.tgz d; tar tf t.tgz | head -1", "xzf t.tar.gz", "cf t.tar ../w/f1; tar tf t.tar", "cf t.tar /tmp/w/f1; tar tf t.tar", "cf t.tar -T f8", "rf t.tar f1", "cf t.tar", "-c -f t.tar f1 f2; tar -t -f t.tar -v | cut -c1-10", "cf t.tar d; tar tf t.tar d/e", "czf - d | gunzip | tar tf - | sort", "cf t.tar d; tar tvf t.tar | cut -c1-10 | sort", "cf t.tar d/b.log; rm d/b.log; tar xf t.tar; stat -c %a d/b.log", "cf t.tar d/a.txt; rm d/a.txt; tar xf t.tar; date -u -r d/a.txt +%F", "cf t.tar d; tar xf t.tar --exclude d/e -C d2; find d2 | sort", "zcf t.tgz d f1; tar ztf t.tgz | sort", "cf t.tar f1; echo new > f1; tar xkf t.tar; echo $?; tar xf t.tar; head -n1 f1", "cf t.tar f5 f4; tar tvf t.tar | awk '{ print $1, $2, $3, $NF }'", "x f1", "cf t.tar d; gzip t.tar; tar xzOf t.tar.gz d/e/c.txt", "xf f5; echo $?", "cJf t.txz f1")
}

func (g *generator) encode() string {
	return g.one("base64 f1", "base64 -w0 f1", "base64 -w 10 f1", "base64 -d f1", "base64 f5", "base64 f4 | base64 -d", "base64 -w 76 f6", "base64 f1 | base64 -d | cmp - f1", "base64 nofile", "base64 -d < f5", "base64 -w1 f4", "echo aGk= | base64 -d", "echo aGk | base64 -d", "printf 'aG k=\\n' | base64 -d", "base64 -D f1", "sha256sum f1", "md5sum f1 f2", "sha1sum < f1", "sha512sum nofile", "cksum f1", "md5sum - < f4", "sha256sum f1 > s; sha256sum -c s", "md5sum f5", "md5sum -c f1", "md5sum f1 > s; echo x >> f1; md5sum -c s", "sha1sum f1 f2 > s; sha1sum -c -s s", "gzip -c f1 | gunzip | cmp - f1", "gzip f1; ls f1*; gunzip f1.gz; cat f1", "gzip -k f1; ls f1*; zcat f1.gz | head -n 1", "gunzip f1", "gzip -d < f1", "gzip f1; gzip f1", "gzip -9 f6; gzip -d f6.gz; tail -n 1 f6", "xxd f4", "xxd -p f1", "echo 6869 | xxd -r -p", "od -c f3", "od -An -tx1 f4", "od -x f4", "hexdump -C f1", "hexdump f4", "od -t d2 f4", "od f4", "od -b f4", "hexdump -v -e '1/1 \"%02x\"' f4", "od -A d -t x1 -N 5 f1", "od -j 3 -N 4 -c f1", "xxd -l 5 f1", "xxd -c 4 f4", "strings f1", "strings -n 3 f1", "cmp f1 f8", "cmp -s f1 f8", "cmp f4 nofile", "cmp -l f1 f8", "xxd -s 2 f4", "od -An -v -tu1 f4")
}

func (g *generator) filter() string {
	return g.one("cat", "cat -n", "cat -b", "cat -A", "cat -e", "cat -v", "cat -t", "tac", "rev", "nl", "nl -ba", "fold -w5", "fold -s -w 8", "expand", "unexpand", "unexpand -a", "expand -t4", "paste", "paste -s", "paste -d,", "dos2unix <", "comm -12", "comm f8", "paste - - <", "paste -sd+", "split -l 3", "shuf -n0", "tee o1 <", "uniq -c", "nl -w 2 -s :", "comm", "paste -d '\\n'", "fold -b -w 3", "unix2dos <", "comm -3 f1", "tee -a f8 <", "cat - f8 <", "head -n 3", "rev f2", "paste - <", "sort -R | sort", "nl -v 5 -i 2", "expand -i", "paste -s -d ':,'", "split -b 7 -a 1", "nl -bt -n rz") + " " + g.one("f1", "f2", "f3", "f4", "f5", "f1 f8", "f8 f1", "nofile", "f7") + g.one("", "", "; ls x* 2>/dev/null | head -n 3")
}

func (g *generator) seq() string {
	return "seq " + g.one("5", "2 5", "5 -1 1", "1 2 10", "-w 8 11", "-s, 1 5", "0 0.5 2", "1 0", "-5", "3 1", "1 0.1 1.3", "a", "", "1 1 1", "1e1", "10 -3 0", "-w 1 0.5 3", "9 11", "-w -1 1", "0.1 0.1 0.5", "1 2 3 4", "-s '' 3", "1 0 3", "-w 5 5 15", "010 12", "1 a", "-s ' ' 2 4", "2.0 3", "-2 2", "1 .5 2", "0x2 4", "+1 3", "100000 100001", "999999 1000001", "-s '\\t' 3", "-w 0 0.25 1")
}

func (g *generator) expr() string {
	return "expr " + g.one("1 + 2", "5 - 8", "3 '*' 4", "7 / 2", "-7 % 3", "1 / 0", "a + 1", `abc : 'a\(.\)c'`, "abc : b", "abc : '.*'", "length abc", "substr hello 2 3", "index hello l", "1 '<' 2", "a '<' b", "10 '<' 9", "'' '|' x", "0 '|' y", "1 '&' 0", "2 '&' 3", "match abc a.", "'(' 1 + 2 ')' '*' 3", "1 = 1", "1 = 01", "1 == 1", "1 != 2", "", "1 +", "1 2", "-- 1 + 1", "5", "9223372036854775807 + 1", "a = a", "'' = ''", "abc : 'x*'", "0", "''", "1 + 2 '*' 3", "'(' 1", ")", "length", "-1 + -1", "1 '>=' 1", "a : '\\(b\\)'", "foo : 'f\\(.\\)\\(.\\)'", "-x : -x", "00 '|' 1", "2 - 2", "é : '.*'", "length é", "10 % -3", "+ 5", "substr abc 0 2", "substr abc 2", "index abc ''")
}

func (g *generator) paths() string {
	return g.one("basename /a/b.txt", "basename /a/b.txt .txt", "basename a/", "basename /", "basename ''", "basename 'a b'", "basename ..", "basename /a//", "basename b.txt b.txt", "basename", "basename a b c", "basename -a x y", "basename a.tar.gz .gz", "dirname /a/b", "dirname a", "dirname /", "dirname a/", "dirname //a", "dirname ''", "dirname /a/b/", "dirname a//b", "dirname . ..", "dirname", "readlink d/lnk", "readlink -f d/lnk", "readlink d", "readlink -f d/../f1", "readlink -f nodir/x", "readlink -f nofile", "realpath d/lnk d/../f1", "realpath nodir/x", "realpath .", "readlink", "readlink -n d/lnk", "pwd", "pwd -P", "realpath d/e/../../f1", "which sh cat nosuch", "which", "mktemp -u x", "mktemp -d /tmp/w/XXXXXX | wc -c", "mktemp /tmp/w/a.XXXXXX | cut -c1-9", "mktemp nodir/XXXXXX", "mktemp -p d XXXXXX | cut -c1-2", "mktemp -t x.XXXXXX | cut -c1-7", "mktemp XXX", "basename -- -x")
}

func (g *generator) list() string {
	return "ls " + g.one("d", "-a d", "-A d", "-1 d", "-R d", "-F d", "-p d", "-d d", "d/e d", "nofile", "-r d", "-S d", "-1a d", "f1 d nofile", "-C d", "-x d", "-1F d", "-ld d | cut -c1-10", "-l d | cut -c1-10", "-n d/a.txt | cut -d' ' -f1", "-i d | wc -l", "-s d | wc -l", "-h d", "-L d", "-l d/b.log | awk '{ print $1, $3, $4, $5 }'", "-l d | awk '{ print $1, $NF }'", "-la d | wc -l", "d/*", "-d d/*/", "d/.*", "", "-1 -r", "-R d/e d2/e", "-Z d | head -n1", "-t d | wc -l", "-lR d | grep -c :", "--color=never d", "-1p d", "--help 2>&1 | head -n 1 | cut -c1-4", "-lh f1 | awk '{ print $5 }'", "-e d | wc -l", "-ln d/lnk | awk '{ print $NF }'", "-q d", "-w 20 d", "-lS d | awk '{ print $NF }'")
}

func (g *generator) manage() string {
	return g.one("cp f1 g; cat g", "cp -r d g; find g | sort", "cp d g", "cp f1 f2 g", "cp f1 f2 d; ls d", "cp -a d g; ls -l g | cut -c1-10", "mv f1 g; ls", "mv f1 d; ls d", "mv d f1", "mv nofile x", "rm d", "rm -r d; ls", "rm -f nofile", "rm nofile", "rmdir d", "mkdir d", "mkdir -p d/x/y; find d | sort", "mkdir a/b", "ln -s f1 l; readlink l; ln -s f1 l", "ln -sf f2 l; readlink l; ln f1 h; ls -l h | cut -c1-12", "touch x y; ls", "touch d/e/zz/q", "truncate -s 5 f1; cat f1", "truncate -s +5 f4; wc -c f4", "dd if=f1 bs=4 count=2 2>/dev/null", "dd if=f1 of=o bs=1 skip=3 count=4 conv=notrunc 2>/dev/null; cat o", "dd if=f6 bs=2 seek=1 of=o3 2>/dev/null; xxd o3 | head -2", "install -m 700 f1 g; stat -c %a g", "install -d a/b; ls a", "cp -u f1 f2; head -1 f2", "mkfifo p; ls -l p | cut -c1", "unlink f1; ls", "cp -n f1 f2; head -1 f2", "cp -t d f1; ls d", "mv -n f1 f2; ls", "ln -s /nowhere dang; cat dang; test -e dang; echo $?; test -L dang; echo $?", "rm -- -x", "rm -i f1 < /dev/null; ls f1", "cp f1 f1", "mv f1 f1", "cp -v f1 g", "mv -v f1 g", "rm -v f1", "mkdir -v x", "rmdir -p d/e/g; ls d", "mkdir x y; rmdir x y; ls", "cp -r d d/e", "mv d d/e", "cp f1 nodir/x", "ln f1 d", "ln d l", "rm", "rm -rf", "cp f1", "mv", "touch -c nofile; ls", "touch -d @0 f1; date -u -r f1 +%F", "touch -t 200001020304 f1; date -u -r f1 +%T", "touch -r d/a.txt f1; date -u -r f1 +%F", "cp -p d/b.log g; stat -c '%a %Y' g", "cp -rL d g; cat g/lnk", "cp -P d/lnk g; readlink g", "rm -r d nofile; ls", "ln -sfn e d/l; ls -l d/l | wc -l", "truncate -s -3 f4; cat f4", "split -b 5 f4; ls x*; cat xaa", "cat f1 | tee o | wc -l; wc -l < o", "mkdir -m 700 x; stat -c %a x", "rm -d x", "cp -R d/. d2; ls d2", "mv d/* .; ls", "rmdir d/e/g", "cp d/* g 2>&1", "ln -s a b c", "ln -s x d/y; ls -l d/y | sed 's/.* y/y/'", "touch", "mv -f f1 f2; ls", "cp --help 2>&1 | head -c 5", "mkdir -p f1/x", "mv f1 f2 f3")
}

func (g *generator) modes() string {
	return g.one("chmod 644 f1; stat -c %a f1", "chmod u+x,g-r,o=w f1; stat -c '%a %s %n %F' f1", "chmod +x f1; stat -c %A f1", "chmod a=rwx,u-w f1; stat -c %a f1", "chmod 9 f1", "stat -c '%s %h %u %g' f1", "chmod -R go-rwx d; find d -perm 600 | sort", "chmod nofile", "chmod 644 nofile", "chmod u=g f1; stat -c %a f1", "chmod o+t d; stat -c %A d", "chmod u+s f1; stat -c %A f1", "chmod 1777 d; stat -c %a d", "chmod =r f1; stat -c %a f1", "chmod -x d/e/c.txt; stat -c %a d/e/c.txt", "chmod +X f1 d; stat -c %a f1 d", "chmod z+x f1", "chown root f1", "chown nosuch f1", "chgrp root:x f1", "chown 1:2 f1; stat -c '%u %g' f1", "chown :3 f1; stat -c '%u:%g' f1", "chown daemon: f1; stat -c '%U %G' f1", "chown -R 5 d; stat -c %u d/e/c.txt", "chgrp nosuch f1", "chgrp 7 f1; stat -c %g f1", "stat nofile", "stat -c %n%%%F d d/lnk f5", "stat -c '%F' -L d/lnk", "stat -c %y d/a.txt", "stat -c '%Y %X' d/a.txt | cut -c1-9", "stat -c %z; echo", "umask 077; touch um; stat -c %a um; mkdir ud; stat -c %a ud", "umask 0; touch um; stat -c %a um", "stat -c '%a %A' /tmp d/b.log", "stat -f -c %T /proc", "stat -t f5 | wc -w", "chmod u+rwx,go= f1 f2; stat -c %a f1 f2", "chmod -v 600 f1", "chmod 0755 f1 nofile f2; stat -c %a f2")
}

func (g *generator) system() string {
	return g.one("env -i A=1 env", "env X=1 sh -c 'echo $X'", "env -u HOME sh -c 'echo [$HOME]'", "nice -n 5 echo hi", "nohup echo hi", "timeout 5 echo hi", "timeout 1 sleep 3", "timeout -s KILL 1 sleep 3", "sleep 0.1; echo ok", "sleep a", "sleep", "yes a | head -n2", "true x", "false", "id -u", "id -un", "whoami", "uname -s", "uname -m", "hostname", "printenv HOME", "printenv NOPE", "tty", "getopt -o ab: -l long,arg: -- -a -b x --long --arg=y rest -- z", "getopt ab: -a -b", "sync", "mountpoint /proc", "echo -e 'a\\tb\\c'; echo d", "usleep 1", "pidof nosuch", "kill -l TERM; kill -l 9", "setsid echo x", "ionice echo x", "env nosuch", "env -i nosuch", "timeout 5 nosuch", "timeout x true", "timeout 0.2 sleep 2", "timeout -k 1 1 true", "env A=b", "env -i HOME=/x sh -c 'cd; pwd'", "printenv", "id", "id nosuch", "id -g root", "groups", "nice echo a", "timeout", "kill nosuch", "kill -0 1", "kill -9 99999", "kill", "pgrep nosuch", "arch | grep -c .", "env - true", "seq 3 | env cat", "sleep 0 0", "test -t 0", "id -G", "getopt -o a: -- -a", "getopt -n prog -o x -- -y", "getopt -q -o x -- -y", "nproc | grep -c .", "yes | head -c 6", "timeout 1 cat f1 | head -n1", "uname -x", "hostname -x", "env -u", "echo $((1+1)) | xargs expr 1 +")
}

func (g *generator) testUtility() string {
	arguments := g.one("-f f1", "-d d", "-e nofile", "-s f5", "-L d/lnk", "-x d/e/c.txt", "-r f1", "1 -eq 1", "a = b", "-n ''", "-z ''", "! -f f1", "-f f1 -a -d d", "", "1 -eq a", "-h d/lnk", "-w f1", "-k d", "-u f1", "-g f1", "-p f1", "-S f1", "-b f1", "-c /dev/null", "f1 -ef f1", "d/lnk -ef d/a.txt", "-t 1", "f1 -nt d/a.txt", "d/a.txt -ot f1", "a -a ''", "'' -o b", "! ''", "'(' a ')'", "! ! a", "a b", "-f", "1 -lt", "-n", "=", "-a", "a = a = a", "1 -ge 1 -a 2 -lt 1", "-O f1", "-G f1", "! a = b", "'(' ! a ')'", "-z a -o -n a", "0x1 -eq 1", "' 1' -eq 1")
	command := g.one("test", "[", "/bin/test", "/bin/[")
	if strings.HasSuffix(command, "[") {
		arguments += " ]"
	}
	return command + " " + arguments + "; echo $?"
}

// gnu is a call with an option of GNU's utilities, which BusyBox may refuse.
func (g *generator) gnu() string {
	return g.one("mktemp -u --suffix=.x", "grep -P '\\d' f1", "realpath --relative-to=d d/e", "basename -s .txt a.txt b.txt", "find d -printf '%f\\n'", "find d -type f -execdir echo {} \\;", "date -u -d '2020-01-01 + 1 day' +%F", "date -u -d 'next friday' +%A", "date -u -d '@0 1 hour' +%T", "stat --format=%s f1", "cp --parents d/a.txt d2", "head --lines=1 f1", "tail --bytes=3 f1", "wc --lines f1", "cut -d: -f1,2 --output-delimiter=- f2", "cut --complement -c1 f1", "xargs --max-args=1 echo < f1", "date -u --iso-8601 -d @0", "date --utc -d @0 +%F", "mkdir --parents x/y; ls x", "rm --recursive d; ls", "chmod --reference=d/b.log f1; stat -c %a f1", "touch --date=@0 f1; date -u -r f1 +%F", "tar --create --file=t.tar --directory=d a.txt; tar tf t.tar", "du --max-depth=0 f5", "readlink --canonicalize d/lnk", "base64 --wrap=0 f1", "sha256sum f1 > s; sha256sum --check s", "timeout --signal=KILL 1 true", "env --ignore-environment sh -c 'echo $HOME'", "sleep 0.01s", "seq --separator=, 3", "tr --delete a < f1", "sort f1 | uniq --count", "diff --unified f1 f1", "grep -r --include='*.txt' A d", "grep --color=auto a f1", "sed --expression=p f4", "sed --in-place s/a/b/ f1; cat f1", "sort --numeric-sort f6", "sort --key=2 f1", "ls --all d", "cat --number f4", "tail -f f1 --pid=1 2>&1 | head -n 0", "find d -newermt 2001-01-01", "find d -maxdepth 1 -printf '%s %p\\n'", "tar --version | head -c 3", "sed --version | head -c 3", "grep --version | head -c 4", "date --version | head -c 4", "cp --no-clobber f1 f2; head -n 1 f2", "ln --symbolic f1 l; readlink l", "mv --force f1 g; ls g", "tee --append f8 < f4", "nl --body-numbering=a f4", "fold --width=5 f4", "paste --serial f6", "printf --version", "echo --help", "true --help", "diff --brief f1 f8", "head -c -5 f4; tail -n +3 f1 | head -n -2", "mktemp -d -p d --suffix=.y", "sort --stable -k1,1 f1", "tar --wildcards -xf t.tar", "xargs -a f8 echo", "xargs -d '\\n' echo < f1", "stat --printf='%s\\n' f1", "date -u +%s%3N | grep -c .", "split --lines=3 f6", "grep -Pzo 'a' f1", "find . -regextype posix-extended -regex '.*(a|b).*'", "ls --time-style=+%F d", "cp --archive d d3; ls d3", "rm --force nofile", "chmod --recursive 700 d; stat -c %a d/e", "install --mode=600 f1 g; stat -c %a g", "du -sb f1", "df --output=target / | head -n 0", "wc --help | head -c 0", "sed -u p f4", "grep -c --null a f1", "sort --unique f1", "cmp --silent f1 f8", "id --user", "uname --machine | grep -c .", "nproc --all | grep -c .", "whoami --help 2>&1 | head -c 0", "readlink --no-newline d/lnk", "realpath -s d/lnk", "realpath -m nodir/x/../y", "dirname -z a/b", "basename --suffix=.x a.x", "expr --version | head -c 0", "env -S 'echo a b'", "env -C d pwd", "printenv -0 HOME", "tac --separator=: f2", "hostname --short")
}

// chain is a pipeline of several utilities, as scripts have them.
func (g *generator) chain() string {
	filter := func() string {
		return g.one("sort", "sort -u", "uniq -c", "wc -l", "head -n 3", "tail -n 2", "cut -d' ' -f1", "tr a-z A-Z", "sed 's/a/A/g'", "grep a", "grep -v a", "awk '{ print $2, $1 }'", "awk 'NF'", "tac", "rev", "nl", "sed -n '2,4p'", "sort -k2n", "tr -s ' '", "cut -c2-5", "xargs", "xargs -n 2", "paste -s -d,", "fold -w 10", "grep -o '[a-z]*'", "sort -r | head -n 2", "sed '/^$/d'", "awk '{ s += $2 } END { print s }'", "tee o1", "cat -n", "od -c | head -n 2", "base64", "md5sum", "sed G", "expand", "uniq", "wc", "sed = ", "awk '!x[$0]++'", "tr ' ' '\\n'", "grep -c .", "cat -A")
	}
	return "cat " + g.one("f1", "f2", "f3", "f6", "f7", "f1 f8") + " | " + g.many(2, 4, " | ", filter)
}
