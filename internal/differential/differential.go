// Package differential runs random scripts in the simulator and with the real programs, and reports where the two
// disagree: on standard output, on whether standard error is empty, or on the exit code.
//
//	script     generates scripts from a seed, for ash, bash, dash, and calls of utilities
//	simulated  runs one in a simulated container
//	real       runs one with the real programs, in a root of its own
//	listed     is the list of differences that are known and may stay
//	differential (this package) compares, shrinks what differs to a few lines, and groups it
//	cmd/differential is the command
//
// From the root of the repository, as root (bash, busybox-static, dash and jq have to be installed):
//
//	make differential N=10000 SEED=1                            # everything
//	go build -o bin/ ./internal/differential/cmd/differential   # or by hand:
//	bin/differential -n 2000 -only bash                         # ash, bash, dash or utilities
//	bin/differential -n 2000 -only utilities -grep jq           # only scripts that match a pattern
//	bin/differential -only ash -try 'echo a | read x; echo $?'  # one script: prints both outcomes
//	bin/differential -scripts FILE                              # replays lines of {"dialect": …, "script": …}
//
// Every shrunk difference is also written to bin/differences.jsonl, which -scripts can replay. A difference that no
// listed kind covers makes the command fail.
package differential

import (
	"sync"
	"sync/atomic"

	"github.com/plumbline-ci/plumbline/internal/differential/outcome"
	"github.com/plumbline-ci/plumbline/internal/differential/real"
	"github.com/plumbline-ci/plumbline/internal/differential/script"
	"github.com/plumbline-ci/plumbline/internal/differential/simulated"
)

// Options say how to compare.
type Options struct {
	// Workers is how many scripts run at a time; default 2.
	Workers int
	// Shrink is how many differences are shrunk; the others count without being looked at. Default 1000.
	Shrink int
	// Progress is called after each script that has been compared.
	Progress func(done, different int)
}

// Difference is a script on which the two sides disagree, shrunk.
type Difference struct {
	Dialect  script.Dialect  `json:"dialect"`
	Index    int             `json:"index"`
	Script   string          `json:"script"`
	Group    string          `json:"group"`
	Listed   string          `json:"listed,omitempty"`
	Sim      outcome.Outcome `json:"simulator"`
	Real     outcome.Outcome `json:"real"`
	Original string          `json:"original,omitempty"`
}

// Result is what a comparison has found.
type Result struct {
	Scripts int
	// Different is how many scripts gave a difference, listed or not; Unshrunk of them were not shrunk.
	Different, Unshrunk int
	// Unstable is how many scripts the real programs answered differently when asked again; Unfinished is how many they
	// did not finish in time. Neither can be compared.
	Unstable, Unfinished int
	Differences          []Difference
	// Constructs counts the scripts that use each construct.
	Constructs map[string]int
}

// Unlisted returns how many differences no listed kind covers.
func (r *Result) Unlisted() int {
	n := r.Unshrunk
	for _, d := range r.Differences {
		if d.Listed == "" {
			n++
		}
	}
	return n
}

// bench is one worker's pair of sides.
type bench struct {
	sim  *simulated.Runner
	real *real.Runner
}

// newBench returns one; the error says why the real programs cannot run here.
func newBench() (*bench, error) {
	r, err := real.New()
	if err != nil {
		return nil, err
	}
	return &bench{sim: simulated.New(r.Applets), real: r}, nil
}

// both runs a text on both sides.
func (b *bench) both(d script.Dialect, text string) (sim, real outcome.Outcome) {
	argv := d.Argv(text)
	return b.sim.Run(d.Sh(), argv), b.real.Run(d.Sh(), argv)
}

const (
	// glances is how often the real programs are asked again before a difference is shrunk, which sorts out most of what depends
	// on chance.
	glances = 2
	// looks is how often they are asked again in the end, because what depends on which process is faster may well look settled
	// for a few times.
	looks = 10
)

// stable reports whether the real programs give the same answer a number of times again.
func (b *bench) stable(d script.Dialect, text string, first outcome.Outcome, times int) bool {
	for range times {
		if again := b.real.Run(d.Sh(), d.Argv(text)); again.Stdout != first.Stdout || again.Code != first.Code || (again.Stderr == "") != (first.Stderr == "") || again.Failure != first.Failure {
			return false
		}
	}
	return true
}

// Available says why a comparison cannot run on this machine, or nil.
func Available() error {
	r, err := real.New()
	if err != nil {
		return err
	}
	return r.Close()
}

// Try runs one text on both sides.
func Try(d script.Dialect, text string) (sim, real outcome.Outcome, err error) {
	b, err := newBench()
	if err != nil {
		return sim, real, err
	}
	defer b.real.Close() //nolint:errcheck // of a folder of temporary files
	sim, real = b.both(d, text)
	return sim, real, nil
}

// Compare runs the scripts on both sides.
func Compare(scripts []script.Script, o Options) (*Result, error) {
	if o.Workers == 0 {
		o.Workers = 2
	}
	if o.Shrink == 0 {
		o.Shrink = 1000
	}
	result := &Result{Constructs: map[string]int{}}
	var (
		next  atomic.Int64
		mutex sync.Mutex
		group sync.WaitGroup
	)
	for range o.Workers {
		b, err := newBench()
		if err != nil {
			return nil, err
		}
		group.Go(func() {
			defer b.real.Close() //nolint:errcheck // of a folder of temporary files
			for {
				i := int(next.Add(1)) - 1
				if i >= len(scripts) {
					return
				}
				s := scripts[i]
				sim, real := b.both(s.Dialect, s.Text())
				mutex.Lock()
				result.Scripts++
				for _, c := range s.Constructs {
					result.Constructs[c]++
				}
				if o.Progress != nil {
					o.Progress(result.Scripts, result.Different)
				}
				mutex.Unlock()
				if sim.Same(real) {
					continue
				}
				if real.Failure != "" || !b.stable(s.Dialect, s.Text(), real, glances) {
					mutex.Lock()
					if real.Failure != "" {
						result.Unfinished++
					} else {
						result.Unstable++
					}
					mutex.Unlock()
					continue
				}
				mutex.Lock()
				result.Different++
				shrink := result.Different <= o.Shrink
				if !shrink {
					result.Unshrunk++
				}
				mutex.Unlock()
				if !shrink {
					continue
				}
				d, stable := b.shrink(s, sim, real)
				d.Index = i
				d.Group = signature(d)
				mutex.Lock()
				if stable {
					result.Differences = append(result.Differences, d)
				} else {
					result.Different--
					result.Unstable++
				}
				mutex.Unlock()
			}
		})
	}
	group.Wait()
	return result, nil
}
