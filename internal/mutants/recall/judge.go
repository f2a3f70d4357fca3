package recall

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/plumbline-ci/plumbline/internal/mutants/operators"
	"github.com/plumbline-ci/plumbline/internal/mutants/schemata"
)

// command is the program that is built.
const command = "./internal/mutants/cmd/stranger"

// Judge says what the suite makes of changes.
type Judge struct {
	Root string
	// Dir receives binaries; it must exist.
	Dir string
	// Parts are what is changed.
	Parts []operators.Part
	// Jobs is how many processes run at once; 0 means one.
	Jobs int
	// Limit is after how much computing a process is taken to be endless. Time that other programs take does not count.
	Limit time.Duration
	// Profile is that of the fixtures that are put to changes; empty means all.
	Profile string
	// Excuses excuse what survives.
	Excuses []Excuse
}

// Prepared is a program with changes in it, and what the fixtures reach of it.
type Prepared struct {
	j        Judge
	Packages []*operators.Package
	binary   string
	fixtures []reached
}

// Prepare builds the program with every change, and learns what fixtures reach.
func (j Judge) Prepare(ctx context.Context) (*Prepared, error) {
	packages, err := operators.LoadParts(ctx, j.Root, j.Parts)
	if err != nil {
		return nil, err
	}
	cases, err := Binding(j.Profile)
	if err != nil {
		return nil, err
	}
	p := &Prepared{j: j, Packages: packages}
	if p.binary, err = j.build(ctx, packages); err != nil {
		return nil, err
	}
	if err := p.reach(ctx, cases); err != nil {
		return nil, err
	}
	slices.SortStableFunc(p.fixtures, func(a, b reached) int { return cmp.Compare(a.took, b.took) })
	return p, nil
}

// build compiles the program with all changes in it.
func (j Judge) build(ctx context.Context, packages []*operators.Package) (string, error) {
	texts := map[string][]byte{}
	id := 1
	for _, p := range packages {
		id = p.Number(id)
		sources, err := p.Sources()
		if err != nil {
			return "", err
		}
		maps.Copy(texts, sources)
	}
	file, err := schemata.WriteOverlay(j.Dir, texts)
	if err != nil {
		return "", err
	}
	binary := filepath.Join(j.Dir, "stranger")
	return binary, j.goTool(ctx, "build", "-buildvcs=false", "-ldflags=-s -w", "-overlay", file, "-o", binary, command)
}

func (j Judge) goTool(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = j.Root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// inParallel calls do for 0 to n-1.
func (j Judge) inParallel(ctx context.Context, n int, do func(int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range max(1, j.Jobs) {
		wg.Go(func() {
			for i := range next {
				if ctx.Err() == nil {
					do(i)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

// Judge judges changes, and tells each outcome, one call at a time, as it is known. The outcomes have the changes' order.
func (p *Prepared) Judge(ctx context.Context, changes []operators.Mutation, tell func(Outcome)) ([]Outcome, error) {
	out := make([]Outcome, len(changes))
	var mu sync.Mutex
	var errs error
	p.j.inParallel(ctx, len(changes), func(i int) {
		o, err := p.judge(ctx, changes[i])
		mu.Lock()
		defer mu.Unlock()
		out[i], errs = o, errors.Join(errs, err)
		if err == nil {
			tell(o)
		}
	})
	return out, errors.Join(errs, ctx.Err())
}

func (p *Prepared) judge(ctx context.Context, m operators.Mutation) (Outcome, error) {
	out := Outcome{Change: m, Verdict: Unreached}
	var q Question
	for _, f := range p.fixtures {
		if reaches(f.plain, m) {
			q.Plain = append(q.Plain, f.fixture)
		}
		if reaches(f.all, m) {
			q.Faulty = append(q.Faulty, f.fixture)
		}
	}
	out.Reach = len(q.Plain)
	if len(q.Faulty) > 0 {
		answer, err := p.ask(ctx, q, m.ID)
		if err != nil {
			return out, err
		}
		out.Verdict, out.By, out.Phase, out.Says = Survived, answer.By, answer.Phase, answer.Says
		if answer.Phase != "" {
			out.Verdict = Noticed
		}
	}
	out.Verdict = excused(out.Verdict, m, p.j.Excuses)
	return out, nil
}

// excused is the verdict on a change once its excuses are heard. Those of a whole function are about what survives alone.
func excused(v Verdict, m operators.Mutation, all []Excuse) Verdict {
	for _, e := range all {
		switch {
		case !e.About(m) || v == Noticed && e.Before == "":
		case v == Noticed:
			return Overlooked
		default:
			return e.Verdict
		}
	}
	return v
}

// ask runs a process with a change switched on.
func (p *Prepared) ask(ctx context.Context, q Question, id int) (Answer, error) {
	question, err := json.Marshal(q)
	if err != nil {
		return Answer{}, err
	}
	limited, cancel := context.WithTimeout(ctx, slowest*p.j.Limit)
	defer cancel()
	// A change may also ask for memory without end.
	seconds := strconv.Itoa(int((p.j.Limit + time.Second - 1) / time.Second))
	cmd := exec.CommandContext(limited, "sh", "-c", `ulimit -v 6291456; ulimit -t "$1"; exec "$0"`, p.binary, seconds)
	cmd.WaitDelay = time.Second
	cmd.Env = append(os.Environ(), schemata.Environment+"="+strconv.Itoa(id), "GOMAXPROCS=1", "GOGC=400")
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(question), &stdout, &stderr
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return Answer{}, ctx.Err()
	case limited.Err() != nil, err != nil && computed(cmd.ProcessState) >= p.j.Limit:
		return Answer{Phase: PhaseEndless, Says: fmt.Sprintf("the process did not end within %s", p.j.Limit)}, nil
	case err != nil:
		return Answer{Phase: PhaseCrash, Says: firstLine(stderr.String())}, nil
	}
	var answer Answer
	return answer, json.Unmarshal(stdout.Bytes(), &answer)
}

// slowest is how many times as long as it computes a process may take on a machine that has other things to do.
const slowest = 20

// computed is the time for which a process that has ended had a processor.
func computed(s *os.ProcessState) time.Duration {
	if s == nil {
		return 0
	}
	return s.UserTime() + s.SystemTime()
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
