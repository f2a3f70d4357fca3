package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/annotation"
)

// junit writes JUnit XML: a suite for each profile, a case for each fixture under all its seeds.
func (s sweep) junit(w io.Writer, took map[string]time.Duration) error {
	all := junitSuites{Name: "sweep of " + about(&reports.ConformanceReport{Implementation: s.Implementation, Target: s.Target})}
	run := []junitProperty{{"implementation", s.Implementation.Project}, {"implementation version", s.Implementation.Version}, {"suite", s.Suite.Version},
		{"suite digest", s.Suite.Digest}, {"target", s.Target.Name}, {"first seed", fmt.Sprint(s.FirstSeed)}, {"seeds", fmt.Sprint(s.Seeds)},
		{"random faults", fmt.Sprint(s.RandomFaults)}, {"result", string(s.Result)}}
	told := strings.Join(append([]string{s.verdict()}, s.Reasons...), "\n") + "\n"
	places := map[string]int{}
	for _, f := range s.Fixtures {
		at, there := places[f.Profile]
		if !there {
			at = len(all.Suites)
			places[f.Profile] = at
			all.Suites = append(all.Suites, junitSuite{Name: f.Profile, Properties: run, Output: &junitText{told}})
		}
		suite := &all.Suites[at]
		c := junitCase{Class: f.Profile, Name: f.Name, File: f.File, Line: 1,
			Properties: &junitProperties{[]junitProperty{{"schedules", fmt.Sprint(f.Schedules)}}}, Output: &junitText{"requirement: " + f.Requirement + "\n"}}
		if d, ok := took[f.Name]; ok {
			c.Time = seconds(d)
			suite.took += d
			suite.timed = true
		}
		s.judge(suite, &c, f)
		suite.Tests++
		suite.Cases = append(suite.Cases, c)
	}
	if len(all.Suites) == 0 { // there is no test, and still something to tell
		all.Suites = []junitSuite{{Name: "plumbline", Properties: run, Output: &junitText{told}}}
	}
	return all.render(w)
}

// judge gives a case its verdict.
func (s sweep) judge(suite *junitSuite, c *junitCase, f reports.SweepFixture) {
	list := s.of(f.Name)
	if len(list) == 0 {
		if f.Schedules == 0 {
			c.Skipped = &junitState{Message: "not run: the sweep ended first", Type: string(reports.NotRun)}
			suite.Skipped++
		}
		return
	}
	var account bytes.Buffer
	broke := true
	for _, x := range list {
		s.breach(&account, x)
		broke = broke && x.Verdict == reports.Error
		if file, line, _ := annotation.Place(breachPlace(x)); file == f.File && line > 0 {
			c.Line = line
		}
	}
	state := &junitState{Message: fmt.Sprintf("%d of %d schedules did not pass; seed %d: %s", len(list), f.Schedules, list[0].Seed, breachHeadline(list[0])), Type: string(list[0].Verdict), Text: account.String()}
	if broke {
		c.Error = state
		suite.Errors++
		return
	}
	c.Failure = state
	suite.Failures++
}
