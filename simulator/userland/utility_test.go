package userland_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/image"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/shell"
	"github.com/plumbline-ci/plumbline/simulator/userland"
)

func TestEveryAppletHasAProgram(t *testing.T) {
	t.Parallel()
	programs := userland.Programs()
	for _, name := range image.Applets() {
		if programs[name] == nil {
			t.Errorf("images contain %s, which is not a program", name)
		}
		if programs[image.GNU(name)] == nil {
			t.Errorf("images with GNU's utilities contain %s, which is not a program", name)
		}
		delete(programs, name)
		delete(programs, image.GNU(name))
	}
	delete(programs, "busybox")
	delete(programs, "jq") // that of the toolbox
	delete(programs, image.GNU("jq"))
	for name := range programs {
		t.Errorf("no image contains %s", name)
	}
}

func TestUtilities(t *testing.T) {
	t.Parallel()
	list, err := image.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	programs := userland.Programs()
	maps.Copy(programs, shell.New().Programs())
	rows := []struct{ script, want string }{
		{`printf 'b 2\na 10\nc 1\n' > /t; sort /t; sort -k2n /t; sort -r /t | head -1; sort -t' ' -k2,2nr /t | tail -n1`, "a 10\nb 2\nc 1\nc 1\nb 2\na 10\nc 1\nc 1\n"},
		{`printf 'a\na\nb\n' | uniq -c; printf '1\n2\n2\n' | sort -u | wc -l`, "      2 a\n      1 b\n2\n"},
		{`echo a:b:c | cut -d: -f2-; echo abcdef | cut -c2,4-5; printf 'x\ty\n' | cut -f2`, "b:c\nbde\ny\n"},
		{`printf 'foo\nBar\nbaz\n' > /t; grep -i bar /t; grep -c a /t; grep -n -v o /t; grep -o 'a.' /t; grep -E 'fo+|zz' /t; grep -q nope /t; echo $?; grep -F a. /t; echo $?`,
			"Bar\n2\n2:Bar\n3:baz\nar\naz\nfoo\n1\n1\n"},
		{`mkdir -p /d/e; echo hit > /d/e/f; echo no > /d/g; grep -r hit /d; grep -l hit /d/e/f /d/g; grep x /nosuch; echo $?`, "/d/e/f:hit\n/d/e/f\ngrep: /nosuch: No such file or directory\n2\n"},
		{`echo hello world | sed 's/o/0/g; s/\(w\).*/[\1]/'; printf '1\n2\n3\n' | sed -n '2p'; printf '1\n2\n3\n' | sed '1d;$d'; echo aXb | sed -E 's/([a-z])X([a-z])/\2-\1/'`, "hell0 [w]\n2\n2\nb-a\n"},
		{`printf 'k: v\nx: y\n' > /f; sed -i -e 's|v|w|' -e '/^x/d' /f; cat /f; printf 'a\nb\nc\nd\n' | sed -n '/b/,/c/p'; echo a/b | sed 's,/,\n,'; printf 'a\nb\n' | sed ':x;N;$!bx;s/\n/,/g'`, "k: w\nb\nc\na\nb\na,b\n"},
		{`printf 'a' | sed 's/a/b/'; echo; printf '1\n2\n' | sed 2q | sed '1a after'; printf 'x\n' | sed 'y/x/z/;='`, "b\n1\nafter\n2\n1\nz\n"},
		{`echo hello | tr a-z A-Z; echo aabb | tr -s a; echo a1b2 | tr -d 0-9; echo hi | tr -c 'a-z\n' x; echo 'a b' | tr ' ' '\n'`, "HELLO\nabb\nab\nhi\na\nb\n"},
		{`seq 3; seq 2 2 6 | paste -s -d+; seq -w 8 10; seq 3 -1 1 | tr '\n' ' '`, "1\n2\n3\n2+4+6\n08\n09\n10\n3 2 1 "},
		{`expr 1 + 2 \* 3; expr abc : 'a\(.\)'; expr length hello; expr 5 \> 10; echo $?; expr a = a; expr abc : '\(x\)*a'`, "7\nb\n5\n0\n1\n1\n1\n"},
		{`date +%Y-%m-%dT%H:%M:%SZ; date -u -d @86400 +%F; date`, "2000-01-01T00:00:00Z\n1970-01-02\nSat Jan  1 00:00:00 UTC 2000\n"},
		{`echo -n hello | base64; echo aGVsbG8= | base64 -d; echo; echo -n a | sha256sum; echo -n a | md5sum; printf x > /x; sha1sum /x > /s; sha1sum -c /s`,
			"aGVsbG8=\nhello\nca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  -\n0cc175b9c0f1b6a831c399e269772661  -\n/x: OK\n"},
		{`mkdir -p /a/b/c; cd /a; touch b/c/f; ln -s b/c l; readlink l; readlink -f l/f; realpath l; ls -1 l; ls -ld l | cut -c1; rmdir b; echo $?`, "b/c\n/a/b/c/f\n/a/b/c\nf\nl\nrmdir: 'b': Directory not empty\n1\n"},
		{`cd /tmp; echo 1 > a; cp a b; mv b c; ln a d; ls -l a | tr -s ' ' | cut -d' ' -f2; mkdir e; cp -r e f; cp a e; cat e/a; rm a; cat c d; rm e; rm -r e; rm nosuch; rm -f nosuch; ls`, "2\n1\n1\n1\nrm: 'e' is a directory\nrm: can't remove 'nosuch': No such file or directory\nc\nd\nf\n"},
		{`cd /tmp; umask 022; touch f; chmod 640 f; stat -c '%a %s %n %U' f; chmod u+x,o=r f; stat -c %a f; chmod -w f; stat -c %a f; chmod +x f; stat -c %A f; chown 5:6 f; stat -c %u:%g f`, "640 0 f root\n744\n544\n-r-xr-xr-x\n5:6\n"},
		{`mkdir -p /w/x /w/y; echo > /w/x/a.txt; echo > /w/y/b.log; find /w -name '*.txt'; find /w -type d | sort; find /w -type f -exec basename {} \; ; find /w -name '*.log' -delete; find /w -type f | xargs -n1 echo got`, "/w/x/a.txt\n/w\n/w/x\n/w/y\na.txt\nb.log\ngot /w/x/a.txt\n"},
		{`echo 'a b' c | xargs -n1; printf '1\n2\n' | xargs -I{} echo '<{}>'; printf 'x' | xargs false; echo $?`, "a\nb\nc\n<1>\n<2>\n123\n"},
		{`basename /a/b.txt .txt; basename /; dirname /a/b; dirname a; dirname /a`, "b\n/\n/a\n.\n/\n"},
		{`head -c 3 /dev/zero | od -A n -t x1; printf 'AB\n' | hexdump -C | head -1; printf 'ab' | od -c`, " 00 00 00\n00000000  41 42 0a                                          |AB.|\n0000000   a   b\n0000002\n"},
		{`timeout 1 sleep 5; echo $?; timeout 5 sh -c 'exit 3'; echo $?; timeout -s KILL 1 sleep 9; echo $?`, "Terminated\n143\n3\nKilled\n137\n"},
		{`id; whoami; hostname; uname -sm; nproc; which cat; pwd`, "uid=0(root) gid=0(root) groups=0(root)\nroot\nhost\nLinux x86_64\n2\n/bin/cat\n/\n"},
		{`env -u HOME sh -c 'echo ${HOME-unset}'; env A=1 sh -c 'echo $A'; printenv HOSTNAME; env nosuch; echo $?`, "unset\n1\nhost\nenv: can't execute 'nosuch': No such file or directory\n127\n"},
		{`printf 'a\nb\nc\n' | tail -n 2 | head -n 1; printf '1\n2\n3\n' | tail -n +2; printf 'a\nb\nc\n' | head -n -1; printf 'abc' | tail -c 1`, "b\n2\n3\na\nb\nc"},
		{`echo x | tee /a /b | cat; cat /a /b; echo y | tee -a /a > /dev/null; wc -l < /a; cat -n /a; printf 'a b\nc\n' | wc`, "x\nx\nx\n2\n     1\tx\n     2\ty\n        2         3         6\n"},
		{`echo a > /a; echo b > /b; cmp -s /a /b; echo $?; diff -q /a /b; diff /a /b | tail -2; printf 'abc\n' | rev; printf '1\n2\n' | tac`, "1\nFiles /a and /b differ\n-a\n+b\ncba\n2\n1\n"},
		{`dd if=/dev/zero of=/z bs=1k count=2 status=none; wc -c < /z; truncate -s 5 /z; stat -c %s /z; d=$(mktemp -d); [ -d $d ] && echo dir; printf abcdefg | fold -w 3`, "2048\n5\ndir\nabc\ndef\ng"},
		{`ls /nosuch; cat /bin; touch -d 2020-01-02 /x; ls -l /x; ls --bad; git; echo $?`, "ls: /nosuch: No such file or directory\ncat: read error: Is a directory\n-rw-r--r--    1 root     root             0 Jan  2  2020 /x\nls: unrecognized option '--bad'\nBusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary.\n\nUsage: ls [-1AaCxdLHRFplinshrSXvctu] [-w WIDTH] [FILE]...\nsh: git: not found\n127\n"},
		{`sleep 30 & ps | grep -c sleep; kill $!; wait $!; echo $?; busybox echo hi; ln -s /bin/busybox /echo; /echo linked`, "3\nTerminated\n143\nhi\nlinked\n"},
		{`echo start > /l; (sleep 1; echo more >> /l; sleep 1; echo end >> /l) & timeout 5 tail -f /l`, "start\nmore\nend\n"},
	}
	for i, r := range rows {
		t.Run(fmt.Sprintf("%02d", i), func(t *testing.T) {
			k := kernel.New(kernel.Options{Seed: 1})
			got := ""
			c, err := container.Start(container.Config{Kernel: k, Actor: "test", Image: list[0], Programs: programs, Hostname: "host", Command: []string{"sh", "-c", r.script},
				Log: func(_ int, data []byte) { got += string(data) }})
			if err != nil {
				t.Fatal(err)
			}
			if err := k.RunWhile(c.Running, k.Now().Add(time.Hour), 1_000_000); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(r.want, got); d != "" || c.Running() {
				t.Errorf("%s\nrunning: %v (-want +got):\n%s", r.script, c.Running(), d)
			}
		})
	}
}
