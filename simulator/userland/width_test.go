package userland_test

import (
	"strings"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/image"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// TestLargeWidthsAreNotCapped asks for widths and sizes that are large, and gets them. The answers are those of BusyBox
// 1.35, and of GNU's seq.
func TestLargeWidthsAreNotCapped(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, row := range []struct{ reason, script, want string }{
		{"printf, a width", `printf '%70000s' x | wc -c; printf '%-70000d|' 5 | wc -c; printf '%2000000c' x | wc -c`, "70000\n70001\n2000000\n"},
		{"printf, a precision", `printf '%.70000d' 5 | wc -c; printf '%.2000000d' -5 | wc -c; printf '%.70000f' 1.5 | wc -c`, "70000\n2000001\n70002\n"},
		{"printf, from an argument", `printf '%*s' 70000 x | wc -c; printf '%.*f' 70000 1.5 | wc -c`, "70000\n70002\n"},
		{"printf counts bytes", `printf '%5s|%.1s|' ä ab`, "   ä|a|"},
		{"printf, flags", `printf '%.3d|%05d|%-05d|%+d|%#o|%#x|%.0d|%020.3f|%-9g|%+e' 5 -5 5 5 8 255 0 1.5 2 3`, "005|-0005|5    |+5|010|0xff||0000000000000001.500|2        |+3.000000e+00"},
		{"awk", `awk 'BEGIN{printf "%70000s", "x"}' | wc -c; awk 'BEGIN{printf "%.70000d", 5}' | wc -c; awk 'BEGIN{print length(sprintf("%*d", 70001, 5))}'`, "70000\n70000\n70001\n"},
		{"xxd", `printf abcdefgh | xxd -c 300 | wc -c; printf ab | xxd -c 0`, "770\n00000000: 6162                                     ab\n"},
		{"expand", `printf 'a\tb' | expand -t 2000 | wc -c; expand -t 0; expand -t x`, "2001\nexpand: number 0 is not in 1..4294967295 range\nexpand: invalid number 'x'\n"},
		{"nl", `printf 'a\n\nb' | nl -w 3 -s: -v 5 -i 3; nl -w x`, "  5:a\n    \n  8:b\nnl: invalid number 'x'\n"},
		{"od", `printf abcdefgh | od -w4 -t x1`, "0000000 61 62 63 64\n0000004 65 66 67 68\n0000010\n"},
		{"fold", `fold -w x; fold -w 0`, "fold: invalid number 'x'\nfold: number 0 is not in 1..10000 range\n"},
		{"uniq", `printf 'a b\na b\n' | uniq -f 999999999999`, "a b\n"},
		{"split", `cd /tmp; printf a | split -a 30 - p; ls; split -a 999999999 - p`, "p" + strings.Repeat("a", 30) + "\nsplit: suffix too long\n"},
		{"dd", `dd bs=60M count=1 if=/dev/zero of=/dev/null status=none && echo read`, "read\n"},
	} {
		if got, status := b.said(t, container.Budget{Memory: 256 << 20}, row.script); got != row.want {
			t.Errorf("%s: %s\ngot %.300q, %d %s\nwant %.300q", row.reason, row.script, got, status.Code, status.Message, row.want)
		}
	}
}

// TestSizesAreChargedBeforeTheyAreTaken asks for more than the memory of a container.
func TestSizesAreChargedBeforeTheyAreTaken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, script := range []string{
		`printf '%1000000000s' x`, `printf '%-1000000000d' 1`, `printf '%.1000000000d' 1`, `printf '%.1000000000f' 1`, `printf '%*s' 2147483640 x`,
		`awk 'BEGIN{printf "%1000000000s", "x"}'`, `awk 'BEGIN{printf "%.1000000000f", 1.5}'`, `awk 'BEGIN{x=sprintf("%*d", 2000000000, 1)}'`, `awk 'BEGIN{printf "%.1000000000x", 255}'`,
		`printf 'a\tb' | expand -t 4000000000`, `printf a | xxd -c 1000000000`, `printf a | nl -w 1000000000`, `shuf -i 1-9000000000000000000`, `dd bs=1G count=1 if=/dev/zero of=/dev/null`,
		`seq 1 100000000000 > /dev/null`,
	} {
		_, status := b.said(t, container.Budget{Bytes: 1 << 30, Steps: 1_000_000}, "set -o pipefail; "+script)
		if status.Code != 137 || !strings.HasPrefix(status.Message, "the simulation ended the container: it") {
			t.Errorf("%s: code %d, %q", script, status.Code, status.Message)
		}
	}
}

// said runs a script in the toolbox and returns what it printed on both streams.
func (b *bench) said(t *testing.T, budget container.Budget, script string) (string, container.ExitStatus) {
	t.Helper()
	return b.saidBy(t, b.toolbox, budget, "sh", "-c", script)
}

func (b *bench) saidBy(t *testing.T, from *image.Image, budget container.Budget, command ...string) (string, container.ExitStatus) {
	t.Helper()
	var out strings.Builder
	k := kernel.New(kernel.Options{Seed: 1})
	c, err := container.Start(container.Config{Kernel: k, Actor: "test", Image: from, Programs: b.programs, Hostname: "host", WorkingDir: "/w",
		Command: command, Budget: budget, Log: func(_ int, data []byte) { out.Write(data) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.RunWhile(c.Running, k.Now().Add(1000*time.Hour), 50_000_000); err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	status, exited := c.ExitStatus()
	if !exited {
		t.Fatalf("%s is still running", command)
	}
	return out.String(), status
}
