package shell_test

import (
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// FuzzShell runs whatever it is given: a shell may refuse it or run out of its budget, but never panic or hang.
func FuzzShell(f *testing.F) {
	for _, s := range []string{
		`a=(1 2); echo "${a[@]:1}" ${!a[@]} $((a[0]++))`, "cat <<E\n$(echo x)\nE", `trap 'echo $?' EXIT ERR; false; exit 2`, `f() { f; }; f`,
		`for i in {1..9}; do echo $i | tr 1-9 a-i & done; wait`, `case $x in [!a-z]*|?) ;; *) echo;; esac`, `x=${y:-${z:=$(echo a\ b)}}; echo "$x"`,
		`printf '%*d %b' 5 3 '\0101\c'; read -r a b <<< "1 2"`, `[[ a == @(a|b)* && ! -f /x ]] || exit`, `while :; do :; done`, `exec 3<>/tmp/x; echo >&3; kill -9 $$`,
		`sed -n 's/\(a*\)*b/\1/gp;$!{N;D}' /etc/passwd; grep -E '(a|b)*c{2,3}' /etc/passwd; expr 1 + \( 2 \* 3 \)`,
	} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, script string, inBash bool) {
		w := newWorld(t, 1)
		ref, kind := "busybox", "sh"
		if inBash {
			ref, kind = "debian", "bash"
		}
		cfg := w.config(ref)
		cfg.Command = []string{kind, "-c", script}
		cfg.Budget = container.Budget{Steps: 5000, Bytes: 1 << 20, Memory: 8 << 20, Processes: 40}
		c, err := container.Start(cfg)
		if err != nil {
			t.Fatal(err)
		}
		_ = w.k.RunWhile(c.Running, w.k.Now().Add(10*time.Minute), 50_000)
		c.Kill()
		if c.Running() {
			t.Fatal("it survived SIGKILL")
		}
	})
}
