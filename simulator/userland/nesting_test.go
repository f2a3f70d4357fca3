package userland_test

import (
	"testing"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// TestProgramsMayNotNestTooDeep gives tools expressions that nest too deep: they end by themselves or the
// container does, and Go's stack never overflows.
func TestProgramsMayNotNestTooDeep(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const repeat = `rep() { yes "$1" | head -n "$2" | tr -d "\n"; }; cd /tmp; `
	const ended = "plumbline: the simulation ended the container: "
	for _, row := range []struct{ script, want string }{
		{`(echo 'BEGIN{x='; rep '(' 50000) > f; awk -f f`, "awk: cmd. line:2: nested too deep\n"},
		{`(echo 'BEGIN{x='; rep '1+' 150000; echo '1}') > f; awk -f f`, "awk: cmd. line:2: expressions with too many operators\n"},
		{`(echo 'BEGIN{x='; rep '1 ' 150000; echo '1}') > f; awk -f f`, "awk: cmd. line:2: expressions with too many operators\n"},
		{`rep '1||' 150000 > f; awk -f f`, "awk: cmd. line:1: expressions with too many operators\n"},
		{`(echo 'BEGIN{x='; rep '1+' 20000; echo '1; print x}') > f; awk -f f`, "20001\n"},
		{`rep '{' 20000 > f; echo x | sed -f f`, "sed: unmatched '{'\n"},
		{`expr $(yes '(' | head -n 20000) 1`, ended + "its expr nested more than 10000 deep\n"},
		{`test $(yes '(' | head -n 20000) 1`, ended + "its test nested more than 10000 deep\n"},
		{`[ $(yes '!' | head -n 20000) 1 ]`, ended + "its test nested more than 10000 deep\n"},
		{`find /tmp $(yes '!' | head -n 20000) -name x`, ended + "its find nested more than 10000 deep\n"},
		{`find /tmp $(yes '(' | head -n 20000)`, ended + "its find nested more than 10000 deep\n"},
		{`(printf 's/'; rep '(a|b)' 50000; echo '/x/') > f; echo x | sed -E -f f`, ended + "its programs held more than 50331648 bytes of memory\n"},
		{`rep '(a|b)' 50000 > f; echo x | grep -E -f f`, ended + "its programs held more than 50331648 bytes of memory\n"},
		{`rep '1,' 500000 > f; awk -f f`, ended + "its programs held more than 50331648 bytes of memory\n"},
		{`awk 'BEGIN{s="a"; for(i=0;i<18;i++) gsub(/a/,"aa",s); print length(s), gsub(/a$/, "", s), gensub(/a*/, "b", "g", s), split(s, t, /b+/)}'`, "262144 1 bb 1\n"},
		{`awk 'BEGIN{s=sprintf("%4000000s",""); gsub(/ /,"aaaaaaaaaaaaaaaaaaaa",s)}'`, ended + "its programs held more than 50331648 bytes of memory\n"},
		{`awk 'BEGIN{s=sprintf("%1000000s",""); r=sprintf("%100000s",""); gsub(/ /,"\\&",r); sub(/.*/,r,s)}'`, ended + "its programs held more than 50331648 bytes of memory\n"},
		{`rep x 1000000 | sed "s/.*/$(rep '&' 1000)/"`, ended + "its programs held more than 50331648 bytes of memory\n"},
		{`rep x 400000 | sed 's/x/yy/g' | wc -c`, "800000\n"},
		{`rep x 1500000 | sed "s/x/$(rep y 40)/g"`, ended + "its programs held more than 50331648 bytes of memory\n"},
	} {
		if got, status := b.said(t, container.Budget{Memory: 48 << 20}, repeat+row.script); got != row.want {
			t.Errorf("%s\ngot %.300q, %d\nwant %q", row.script, got, status.Code, row.want)
		}
	}
}
