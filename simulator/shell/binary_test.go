package shell_test

import "testing"

// A program that is given to a shell as a script is refused as real shells refuse one: bash sees that it is not a script,
// and the others stop where its first line breaks the syntax. The answers are those of bash 5.2.15, dash 0.5.12 and BusyBox
// 1.35.0 about /bin/ls of Debian, and about scripts with zeros in them.
func TestProgramsAreRefusedAsScripts(t *testing.T) {
	t.Run("bash", func(t *testing.T) {
		check(t, "bash", []row{
			{script: `bash /bin/ls; echo $?`, stdout: "126\n", stderr: "/bin/ls: /bin/ls: cannot execute binary file\n", reason: "by its path"},
			{script: `bash echo hello; echo $?`, stdout: "126\n", stderr: "/usr/bin/echo: /usr/bin/echo: cannot execute binary file\n", reason: "from PATH"},
			{script: `. /bin/ls; echo $?`, stdout: "126\n", stderr: "bash: line 1: .: /bin/ls: cannot execute binary file\n", reason: "sourced"},
			{script: `printf 'echo a\0b\n' > /tmp/s; bash /tmp/s; echo $?; bash < /tmp/s; . /tmp/s`, stdout: "126\nab\nab\n", stderr: "/tmp/s: /tmp/s: cannot execute binary file\n", reason: "a zero in the first line"},
			{script: `printf 'echo a\necho b\0c\n' > /tmp/s; bash /tmp/s`, stdout: "a\nbc\n", reason: "a zero in another line"},
			{script: `head -c 4 /bin/ls | od -An -c; grep -c SIM /bin/ls; cp /bin/ls /tmp/dir; /tmp/dir -d /tmp`, stdout: " 177   E   L   F\n0\n/tmp\n", reason: "what a program looks like"},
		})
	})
	t.Run("dash", func(t *testing.T) {
		check(t, "dash", []row{
			{script: `sh /bin/ls; echo $?; sh < /bin/ls; echo $?`, stdout: "2\n2\n", stderr: "/bin/ls: 1: Syntax error: \";\" unexpected\nsh: 1: Syntax error: \";\" unexpected\n", reason: "as a script"},
			{script: `sh echo hello`, stderr: "sh: 0: cannot open echo: No such file\n", code: 2, reason: "no search in PATH"},
			{script: `. /bin/ls`, stderr: "dash: 1: /bin/ls: Syntax error: \";\" unexpected\n", code: 2, reason: "sourced"},
			{script: `printf 'cd /nosuch\necho ${x?bad}\n' > /tmp/s; . /tmp/s`, stderr: "dash: 1: cd: can't cd to /nosuch\ndash: 2: /tmp/s: x: bad\n", code: 2, reason: "messages name the file"},
			{script: `printf 'echo a\0b\n' > /tmp/s; sh /tmp/s`, stdout: "ab\n", reason: "zeros are dropped"},
		})
	})
	t.Run("ash", func(t *testing.T) {
		check(t, "sh", []row{
			{script: `sh /bin/ls; echo $?; sh < /bin/ls; echo $?; ls /w`, stdout: "2\n2\n", stderr: "/bin/ls: line 1: syntax error: unexpected \";\"\nsh: syntax error: unexpected \";\"\nls: /w: No such file or directory\n", code: 1, reason: "as a script"},
			{script: `sh echo hello`, stderr: "sh: can't open 'echo': No such file or directory\n", code: 2, reason: "no search in PATH"},
			{script: `. /bin/ls`, stderr: "sh: /bin/ls: line 1: syntax error: unexpected \";\"\n", code: 2, reason: "sourced"},
			{script: `printf 'cd /nosuch\necho ${x?bad}\n' > /tmp/s; . /tmp/s`, stderr: "sh: cd: line 1: can't cd to /nosuch: No such file or directory\nsh: /tmp/s: line 2: x: bad\n", code: 2, reason: "messages name the file"},
		})
	})
}
