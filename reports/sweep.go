package reports

// SweepKind is the kind of a SweepReport as a document.
const SweepKind = "SweepReport"

// SweepReport is the outcome of fixtures that were run under many seeds: with the faults of the fixtures alone, or under
// random ones, when what holds of every run is judged instead of what the fixtures expect.
type SweepReport struct {
	APIVersion     string         `json:"apiVersion"`
	Kind           string         `json:"kind"`
	Implementation Implementation `json:"implementation"`
	Suite          Suite          `json:"suite"`
	Target         Target         `json:"target"`
	// FirstSeed is the first seed, Seeds how many there are.
	FirstSeed uint64 `json:"firstSeed"`
	Seeds     int    `json:"seeds"`
	// RandomFaults says that faults were drawn from the seeds.
	RandomFaults bool `json:"randomFaults,omitempty"`
	// Trouble is what they were drawn from, if not from everything: transient, refusals or visitors.
	Trouble string `json:"trouble,omitempty"`
	// Filter is set when it left fixtures out.
	Filter  string   `json:"filter,omitempty"`
	Result  Result   `json:"result"`
	Reasons []string `json:"reasons,omitempty"`
	// Schedules is how many runs there were, Struck how many random faults have struck in them.
	Schedules int `json:"schedules"`
	Struck    int `json:"struck,omitempty"`
	// Planned is how many runs there would have been without an early end.
	Planned int `json:"planned,omitempty"`
	// Skipped is how many fixtures do not apply.
	Skipped int `json:"skipped,omitempty"`
	// Fixtures are those that apply, sorted by profile and name; Breaches the runs that did not pass, sorted by fixture and seed.
	Fixtures []SweepFixture `json:"fixtures"`
	Breaches []Breach       `json:"breaches"`
	// Statements are what the fixtures' proves stand for, sorted by id.
	Statements []Statement `json:"statements,omitempty"`
}

// SweepFixture is a fixture under many seeds.
type SweepFixture struct {
	Name        string   `json:"name"`
	File        string   `json:"file"`
	Requirement string   `json:"requirement"`
	Profile     string   `json:"profile"`
	Level       string   `json:"level"`
	Features    []string `json:"features,omitempty"`
	Proves      []string `json:"proves,omitempty"`
	// Schedules is how often it was run, Breaches how often it did not pass.
	Schedules int `json:"schedules"`
	Breaches  int `json:"breaches,omitempty"`
}

// Breach is one run of a sweep that did not pass.
type Breach struct {
	Fixture string `json:"fixture"`
	Seed    uint64 `json:"seed"`
	// Permuted says that the tasks of Pipelines were in another order than they are written in, which the seed decides.
	Permuted bool    `json:"permuted,omitempty"`
	Verdict  Verdict `json:"verdict"`
	// Violation is set if something was broken that holds of every run; else Failure, or for an error Reason.
	Violation *Violation `json:"violation,omitempty"`
	Failure   *Failure   `json:"failure,omitempty"`
	Reason    string     `json:"reason,omitempty" print:"lines"`
	// Faults are the random faults that are needed to see it, Drawn how many there had been.
	Faults []string `json:"faults,omitempty"`
	Drawn  int      `json:"drawn,omitempty"`
	// Strikes is what they hit, Trace what happened last.
	Strikes []string `json:"strikes,omitempty"`
	Trace   []string `json:"trace,omitempty"`
	// Replay is a command that shows it again.
	Replay string `json:"replay"`
}

// Violation is something that holds of every run, and did not.
type Violation struct {
	Rule    string `json:"rule"`
	Object  string `json:"object"`
	Message string `json:"message" print:"lines"`
}
