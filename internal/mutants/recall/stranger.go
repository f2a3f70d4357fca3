package recall

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/disturbance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference/outside"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/fixtures"
	"github.com/plumbline-ci/plumbline/reports"
)

// The phases in which a change is noticed.
const (
	PhasePlain  = "plain"
	PhaseSeeds  = "seeds"
	PhaseFaults = "faults"
	// PhaseEndless is a process that does not end within its time.
	PhaseEndless = "endless"
	// PhaseCrash is a process that dies without an answer.
	PhaseCrash = "crash"
)

// The seeds of the phases.
const (
	plainSeed   = conformance.DefaultSeed
	otherSeed   = 2
	firstFaulty = 1
)

// mostUnderSeeds is how many fixtures are put to a change under further seeds and under faults, so that a change that
// survives costs seconds.
const mostUnderSeeds = 30

// maxEvents bounds the world of one fixture: one that is busier than a change of the reference makes it never comes to rest.
const maxEvents = 2_000_000

// Case is a fixture: a file, or a case of its matrix.
type Case struct {
	File string `json:"file"`
	Name string `json:"name"`
}

// Question is what a process is asked: the fixtures for each phase.
type Question struct {
	Plain  []Case `json:"plain"`
	Faulty []Case `json:"faulty"`
}

// Answer is the first fixture that failed; without one, By is empty.
type Answer struct {
	By    string `json:"by"`
	Phase string `json:"phase"`
	Says  string `json:"says"`
	// Took is how long each plain fixture took, by its name, if all were run.
	Took map[string]time.Duration `json:"took,omitempty"`
}

// Stranger judges the reference as if it were another implementation.
type Stranger struct {
	target conformance.Target
	claims conformance.Claims
	loaded map[Case]*fixture.Fixture
}

// NewStranger returns one on the fake cluster. It claims every profile with all its features, and is asked for the
// example custom tasks.
func NewStranger() (*Stranger, error) {
	target, err := fake.New(fake.Options{MaxEvents: maxEvents, Remote: outside.Of})
	if err != nil {
		return nil, err
	}
	s := &Stranger{target: target, claims: conformance.Claims{CustomTask: fixture.ExampleCustomTask()}, loaded: map[Case]*fixture.Fixture{}}
	for _, p := range fixture.Profiles() {
		s.claims.Profiles = append(s.claims.Profiles, p.Name)
		for _, f := range p.Features {
			s.claims.Features = append(s.claims.Features, f.Name)
		}
	}
	return s, nil
}

// Binding are the fixtures that bind a stranger: of one profile, or of all if it is empty.
func Binding(profile string) ([]Case, error) {
	all, err := fixture.LoadFS(fixtures.FS, "")
	if err != nil {
		return nil, err
	}
	var out []Case
	for _, f := range all {
		if f.Spec.Level == fixture.Required && (profile == "" || f.Spec.Profile == profile) {
			out = append(out, Case{f.File, f.Name()})
		}
	}
	return out, nil
}

func (s *Stranger) runner(list []*fixture.Fixture, seed uint64) (*conformance.Runner, error) {
	return conformance.NewRunner(conformance.Options{Target: s.target, Claims: s.claims, Fixtures: list, Seed: seed, Parallel: 1})
}

func (s *Stranger) load(c Case) (*fixture.Fixture, error) {
	if f := s.loaded[c]; f != nil {
		return f, nil
	}
	data, err := fs.ReadFile(fixtures.FS, c.File)
	if err != nil {
		return nil, err
	}
	cases, err := fixture.LoadCases(c.File, data)
	if err != nil {
		return nil, err
	}
	for _, f := range cases {
		s.loaded[Case{c.File, f.Name()}] = f
	}
	if f := s.loaded[c]; f != nil {
		return f, nil
	}
	return nil, fmt.Errorf("%s has no case %s", c.File, c.Name)
}

// Ask puts the fixtures to what is compiled in, phase by phase, and stops at the first failure.
func (s *Stranger) Ask(ctx context.Context, q Question) (Answer, error) {
	took := map[string]time.Duration{}
	for _, phase := range []struct {
		name  string
		cases []Case
		sweep conformance.Sweep
	}{
		{PhasePlain, q.Plain, conformance.Sweep{First: plainSeed, Seeds: 1, Most: 1}},
		{PhaseSeeds, spread(q.Plain), conformance.Sweep{First: otherSeed, Seeds: 1, Most: 1}},
		{PhaseFaults, spread(q.Faulty), faulty(disturbance.Transient, 1)},
		{PhaseFaults, spread(q.Faulty), faulty(disturbance.Visitors, 1)},
		{PhaseFaults, spread(q.Faulty), faulty(disturbance.Random, 2)},
		{PhaseFaults, spread(q.Faulty), faulty(disturbance.Refusals, 1)},
	} {
		for _, c := range phase.cases {
			began := time.Now()
			says, err := s.put(ctx, c, phase.sweep)
			if err != nil {
				return Answer{}, err
			}
			if says != "" {
				return Answer{By: c.Name, Phase: phase.name, Says: says}, nil
			}
			if phase.name == PhasePlain {
				took[c.Name] = time.Since(began)
			}
		}
	}
	return Answer{Took: took}, nil
}

// faulty is a sweep under a kind of trouble.
func faulty(trouble string, seeds int) conformance.Sweep {
	return conformance.Sweep{First: firstFaulty, Seeds: seeds, Faults: true, Trouble: trouble, Most: 1}
}

// spread are as many cases as are put to a change under seeds: from the cheapest to the dearest, since the cheapest are all alike.
func spread(cases []Case) []Case {
	if len(cases) <= mostUnderSeeds {
		return cases
	}
	out := make([]Case, mostUnderSeeds)
	for i := range out {
		out[i] = cases[i*len(cases)/mostUnderSeeds]
	}
	return out
}

// put runs one fixture under some seeds, and returns what its failure says, if it fails.
func (s *Stranger) put(ctx context.Context, c Case, o conformance.Sweep) (string, error) {
	f, err := s.load(c)
	if err != nil {
		return "", err
	}
	r, err := s.runner([]*fixture.Fixture{f}, o.First)
	if err != nil {
		return "", err
	}
	found, err := r.Sweep(ctx, o)
	if err != nil || len(found.Breaches) == 0 {
		return "", err
	}
	return says(found.Breaches[0].Result), nil
}

func says(r reports.Fixture) string {
	if r.Failure != nil {
		return fmt.Sprintf("%s: %s", r.Failure.At, r.Failure.Message)
	}
	return r.Reason
}
