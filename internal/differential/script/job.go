package script

// background runs something beside the shell. Only one of the two prints at a time. A signal waits until the job is
// asleep: what it meets before depends on which process is faster.
func (g *generator) background() string {
	g.mark("background jobs")
	job := func() string { return with(&g.inJob, func() string { return with(&g.hereDocs, g.simple) }) }
	return g.do(
		func() string { return job() + " & wait $!; echo $?" },
		func() string { return job() + " & wait" },
		func() string { return "{ " + job() + "; " + job() + "; } & wait $!" },
		func() string { return "(" + job() + ") > o6 & wait; cat o6" },
		g.snapshot, g.snapshot, g.snapshot,
		func() string {
			return "sleep 5 & sleep 0.05; kill " + g.one("", "-TERM ", "-9 ", "-s HUP ") + "$!; wait $!; echo $?"
		},
		func() string { return "f2 a b & wait $!; echo $? $a" },
		func() string { return "{ exit " + g.one("3", "$n", "256") + "; } & wait $!; echo $?" },
	)
}

// snapshot changes something after a child has started that has not looked at it yet.
func (g *generator) snapshot() string {
	g.mark("snapshots of children")
	late := func(use string) string { return "{ sleep 0.05; " + use + "; } &" }
	v := g.variable()
	return g.do(
		func() string { return v + "=1; " + late("echo $"+v) + " " + v + "=2; wait; echo $" + v },
		func() string { return "set -- 1 2; " + late(`echo "$@"`) + " set -- 3; wait" },
		func() string { return "g1() { echo one; }; " + late("g1") + " g1() { echo two; }; wait; g1" },
		func() string { return "IFS=:; " + late("set -- $p:x; echo $#") + " IFS=' '; wait" },
		func() string { return "export y=1; " + late("sh -c 'echo $y'") + " y=2; export y; wait" },
		func() string { return "for i in 1 2 3; do (sleep 0.$i; echo $i) & done; wait" },
		func() string { return "for i in 1 2; do f1 $i > o.$i & done; i=9; wait; cat o.1 o.2" },
		func() string { return "f1 $n > o.9 & n=77; wait; cat o.9" },
		func() string { return "cd d1; { sleep 0.05; pwd; } & cd ..; wait; pwd" },
		func() string { return late("set -f; echo t*") + " wait; echo t*" },
		func() string { return "x=1; x=2 | cat; echo $x; echo a | x=3; echo $x" },
		func() string { return "x=1; y=$(x=2; echo $x); echo $x$y; (x=3; unset a); echo $x$a" },
		when(g.bash(), func() string { return "arr=(1 2); { sleep 0.05; echo \"${arr[@]}\"; } & arr[0]=9; arr+=(3); wait" }),
		when(g.bash(), func() string { return "x=1; cat <(sleep 0.05; echo $x); x=2; cat <(echo $x)" }),
	)
}
