package fake_test

import (
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference/outside"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/internal/recording"
)

const (
	recordingsDir = "../../testdata/recordings"
	// recordedImage is the image that the recorded steps run in.
	recordedImage = "docker.io/local/busybox:1"
	// replaySeed draws how long things take. 07 cancels its run two seconds after the Pod runs, which is about when its
	// first step is seen to have ended: with most seeds before, as recorded. 45 ends its container from within, which may end
	// what does so first.
	replaySeed = 2

	// withResolvers is the recording of a cluster with the resolvers of git, bundles and hub, and without a network.
	withResolvers = "157-resolver-unreachable"
	// leastAgreeing is how many recordings agree in everything, at least.
	leastAgreeing = 40
)

// Who decided that something is different.
const (
	project = "the project" // a decision: we do better, or later versions do
	lab     = "the machine" // of the recorded machine, or of its load, not of the reference
)

// difference explains why some facts are not as recorded.
type difference struct {
	// in are the recordings, by number: "15", "11 alpha".
	in []string
	// object and field are patterns of path.Match for what differs.
	object, field string
	// rule is the requirement's id.
	rule string
	why  string
	by   string
}

// differences are all that there are. A row that explains nothing fails the test, and so does a fact without a row.
func differences() []difference {
	return []difference{
		{[]string{"13"}, "TaskRun/resbig", "message", "EP-31", "The reference leaves the reason in the step's log.", project},
		{[]string{"93"}, "TaskRun/r-result", "*message", "EP-31", "The reference leaves the reason in the step's log.", project},
		{[]string{"15", "97"}, "*/*", "*", "EP-55",
			"Eight containers leave each 1536 bytes. There the kubelet cut the messages: results were lost and the run succeeded. Here the launcher knows its share, and the step that writes too much fails.", project},
		{[]string{"35"}, "*/*", "*", "LC-85",
			"A container that can never be created ends the run. There it stayed without completionTime, with a step that waits and a Pod that is left.", project},
		{[]string{"93"}, "*/r-config*", "*", "LC-85", "As 35, for each attempt.", project},
		{[]string{"83"}, "TaskRun/sizelimit", "step 0", "LC-63",
			"Steps of a run that is over are shown as ended. An evicted Pod shows its containers as if they were to be created, and there the step waits for ever.", project},
		{[]string{"43"}, "TaskRun/poddel", "*", "EP-23", "The launcher that waits dies of SIGTERM, which is 128+15. There the Go runtime ended it with 2.", project},
		{[]string{"47"}, "*/relative*", "*", "POD-12",
			"A relative workingDir is below /workspace. There the container cannot start, the other steps are not notified, and the run hangs until its timeout.", project},
		{[]string{"57"}, "TaskRun/oom", "*", "EP-23",
			"With cgroup v1 only the command was killed, and the launcher reported 255. With cgroup v2 the whole container is, so the next step is not notified.", lab},
		{[]string{"57"}, "Pod/oom-pod", "end", "EP-36", "The run fails and deletes its Pod when a step died without a word: the step behind would wait for ever.", project},
		{[]string{"61"}, "action/*", "answer", "S-02",
			"A spec that changes under way misleads: the run keeps the old values. Later versions refuse it, too.", project},
		{[]string{"63", "73"}, "TaskRun/*", "condition", "LC-54", "The Task is there; it is the Pod that could not be created. Later versions say so, too.", project},
		{[]string{"93"}, "TaskRun/r-nosa", "*condition", "LC-54", "As 63, for each attempt.", project},
		{[]string{"93"}, "TaskRun/r-pull", "*message", "LC-81", "The text of the container runtime, with addresses of the machine.", lab},
		{[]string{"77 alpha"}, "TaskRun/a-bundle", "message", "LC-21", "No registry is asked here; there it could not be reached.", lab},
		{[]string{"77 alpha"}, "TaskRun/a-status-in-create", "*", "-", "The recording ended before the run.", lab},
		{[]string{"77 alpha"}, "Pod/a-*", "end", "-", "The recording ended before the Pod.", lab},
		{[]string{"77"}, "Pod/a-status-in-create-pod", "end", "-", "The run that waits for its resolver keeps neither of the two going; here the end comes first.", lab},
		{[]string{"45 alpha"}, "Pod/bp-pod", "place-scripts: argv", "POD-18", "The breakpoint's scripts are our own, with the same effect.", project},
		{[]string{"45 alpha"}, "TaskRun/bp", "step 1", "EP-42", "A step that was released as failed has failed: the next is skipped. There it runs.", project},
		{[]string{"95 alpha"}, "TaskRun/mm-*", "message", "LC-46", "The type or key is named once. There it appears twice, since an embedded Task is counted twice.", project},
		{[]string{"53", "153"}, "Run/*", "spec", "D2", "A reference has a namespace, default by default, as the description of Runs says. v0.43.0 refuses the field.", project},
		{[]string{"153"}, "Run/withnamespace", "*", "D2", "As above.", project},
		{[]string{"153"}, "Run/v1beta1", "admission", "-", "The words for a version that is not served are the client's.", lab},
		{[]string{"71"}, "Pod/prretry-fin-pod", "place-scripts: argv", "V-13", "Statuses of tasks are put into embedded Tasks, as results are in later versions. There the text stays.", project},
		{[]string{"151", "151 alpha"}, "*Run/cown-a", "asked", "D3", "The timeout of a pipeline task asks a custom task to end, as the description of Runs says.", project},
		{[]string{"111", "135", "135 alpha"}, "TaskRun/*", "condition", "LC-54", "As 63.", project},
		{[]string{"159 alpha"}, "PipelineRun/onefails", "skipped a", "Q20", "A task that has children is not listed as skipped.", project},
		{[]string{"159 alpha"}, "Pod/onefails-f-pod", "place-scripts: argv", "Q20", "The task failed, and its status says so. There it is None.", project},
		{[]string{"113 alpha"}, "PipelineRun/arrobj", "child arrobj-bywhen", "R:2.13", "Guards are shown with their values. There a list stays as it is written.", project},
		{[]string{"113 alpha"}, "PipelineRun/outofbounds", "skipped b", "V13", "A task that cannot start since a result is missing is listed.", project},
		{[]string{"159"}, "PipelineRun/empty", "admission", "-", "The input had one more document when it was recorded.", lab},
		{[]string{"117"}, "PipelineRun/finwhen", "child finwhen-onsuccess", "R:2.17", "The guards of a final task that ran are shown. There they are in one run of this recording, and not in the other.", project},
		{[]string{"105", "107", "121", "129", "135", "151 alpha"}, "PipelineRun/*", "finallyStartTime", "R:2.14", "It stays once it is stored. There it is lost.", project},
		{[]string{"111", "119", "123", "125", "127", "135", "137", "145"}, "Pod/*", "end", "-", "The recording has an earlier state of the Pod.", lab},
		{[]string{"145"}, "Pod/more-f-pod", "*", "-", "The recording of Pods ended before this one.", lab},
		{[]string{"119"}, "TaskRun/cancel-c", "*", "-", "On the loaded machine the task had not ended when the run was cancelled.", lab},
		{[]string{"125"}, "TaskRun/ptimeout-c", "*", "-", "On the loaded machine the task had not ended in time.", lab},
		{[]string{"127"}, "TaskRun/ftimeout-g", "*", "-", "As above.", lab},
		{[]string{"127"}, "PipelineRun/ftimeout", "message", "-", "As above.", lab},
		{[]string{"131"}, "*/exhausted*", "*", "-", "On the loaded machine the retries took longer, so that one more task began before the failure.", lab},
		{[]string{"131"}, "TaskRun/exhausted-d", "label tekton.dev/*", "-", "As above.", lab},
		{[]string{"157"}, "PipelineRun/bundle*", "message", "R:3.6", "The name of a repository may have one letter, as registries allow. There it needs two, so that the reference is wrong, and nothing else is looked at.", project},
		{[]string{"157"}, "PipelineRun/git", "message", "-", "The text of the machine's network, of which there is none here.", lab},
		{[]string{"157"}, "PipelineRun/hub", "message", "-", "As above.", lab},
		{[]string{"155", "155 alpha"}, "PipelineRun/cancelledmeanwhile", "*", "R:3.2", "The timeout of a run counts while it waits for a resolver, too, as in later versions.", project},
		{[]string{"133"}, "Pod/affinity-assistant-*", "*", "R:2.21", "The Pods of affinity assistants were not recorded.", lab},
		{[]string{"133"}, "PipelineRun/wsrun", "spec", "-", "Later libraries of Kubernetes leave out a creationTimestamp that is null.", lab},
		{[]string{"133"}, "Pod/wsrun-write-pod", "place-scripts: argv", "-", "The name of a claim depends on the run's UID.", lab},
		{[]string{"131", "145"}, "TaskRun/*", "step 0", "LC-63", "Steps that began are shown as ended, although the status had no copy of them yet.", project},
		{[]string{"27 noinjected"}, "TaskRun/sidecarready", "sidecar 0", "SC-15",
			"The kubelet had lost what the sidecar was before nop took its place; with default flags, the same input shows it.", lab},
	}
}

// pending are the recordings of what is not built yet, with why.
func pending() map[string]string {
	return map[string]string{}
}

// everywhere are differences of every Pod of some shape, which the comparison takes back.
type everywhere struct {
	field string
	added *regexp.Regexp
	rule  string
	what  string
	why   string
	by    string
}

func differencesEverywhere() []everywhere {
	return []everywhere{{
		field: "*: argv", added: regexp.MustCompile(`-termination_budget\n\d+\n`), rule: "EP-55",
		what: "`-termination_budget N` among the launcher's arguments, in Pods of more than three containers",
		why:  "The kubelet cuts termination messages to 12288 bytes divided by the Pod's containers, silently. A launcher that knows its share can fail the step instead.",
		by:   project,
	}}
}

// flags are the feature flags of a recording's folder.
func flags(t *testing.T, r *recording.Recording) map[string]string {
	t.Helper()
	under := r.Under
	known := map[string]map[string]string{
		"v0.43.0":            {},
		"v0.43.0-alpha":      {"enable-api-fields": "alpha"},
		"v0.43.0-noinjected": {"running-in-environment-with-injected-sidecars": "false"},
	}
	f, ok := known[under]
	if !ok {
		t.Fatalf("nothing is known of the configuration of %s", under)
	}
	// Those of Pipelines came later, with more flags where alpha features are on.
	if len(r.Number()) == len("101") && f["enable-api-fields"] != "" {
		f["embedded-status"], f["custom-task-version"] = "minimal", "v1beta1"
	}
	return f
}

// label is how tables name a recording.
func label(r *recording.Recording) string {
	_, variant, _ := strings.Cut(r.Under, "0-")
	return strings.TrimSpace(r.Number() + " " + variant)
}

// replay compares one recording with the fake cluster. taken counts the differences everywhere that were taken back.
func replay(t *testing.T, target *fake.Target, r *recording.Recording, taken []int) []recording.Difference {
	t.Helper()
	cluster, err := target.Cluster(conformance.Setup{
		Name: r.Name, Seed: replaySeed, Config: fixture.Config{config.FeatureFlagsName: flags(t, r)},
	})
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := r.Recorded()
	if err != nil {
		t.Fatal(err)
	}
	if len(recorded) == 0 {
		t.Fatal("nothing is recorded")
	}
	replayed, err := r.Replay(t.Context(), cluster)
	if err != nil {
		t.Fatal(err)
	}
	isPod := func(f recording.Fact) bool { return strings.HasPrefix(f.Object, "Pod/") }
	if !slices.ContainsFunc(recorded, isPod) { // they were not watched
		replayed = slices.DeleteFunc(replayed, isPod)
	}
	for n, e := range differencesEverywhere() {
		for i := range replayed {
			if matches(t, e.field, replayed[i].Field) && e.added.MatchString(replayed[i].Value) {
				replayed[i].Value = e.added.ReplaceAllString(replayed[i].Value, "")
				taken[n]++
			}
		}
	}
	return recording.Compare(recorded, replayed)
}

func matches(t *testing.T, pattern, text string) bool {
	t.Helper()
	ok, err := path.Match(pattern, text)
	if err != nil {
		t.Fatalf("pattern %q: %v", pattern, err)
	}
	return ok
}

// explained returns the row that is about a difference, or -1.
func explained(t *testing.T, in string, d recording.Difference) int {
	t.Helper()
	return slices.IndexFunc(differences(), func(x difference) bool {
		return slices.Contains(x.in, in) && matches(t, x.object, d.Object) && matches(t, x.field, d.Field)
	})
}

// outcome is the outcome of all recordings.
type outcome struct {
	// all and agreeing are the recordings' labels, in order.
	all, agreeing []string
	// rows are, for each row of differences, what it explains, by recording.
	rows []map[string][]recording.Difference
}

// TestRecordings plays every recording of the reference on a real cluster again on the fake one. What is not the same is
// explained by a row of differences, and docs/fidelity.md is made from these.
func TestRecordings(t *testing.T) {
	t.Parallel()
	list, err := recording.List(os.DirFS(recordingsDir))
	if err != nil {
		t.Fatal(err)
	}
	options := fake.Options{Aliases: map[string]string{recordedImage: "busybox:latest"}}
	target, err := fake.New(options)
	if err != nil {
		t.Fatal(err)
	}
	options.Remote = outside.Of
	resolving, err := fake.New(options)
	if err != nil {
		t.Fatal(err)
	}
	found := make([][]recording.Difference, len(list))
	taken := make([][]int, len(list))
	t.Run("replay", func(t *testing.T) {
		for i, r := range list {
			taken[i] = make([]int, len(differencesEverywhere()))
			t.Run(r.Under+"/"+r.Name, func(t *testing.T) {
				t.Parallel()
				on := target
				if r.Name == withResolvers {
					on = resolving
				}
				found[i] = replay(t, on, r, taken[i])
				if _, later := pending()[label(r)]; later {
					if len(found[i]) == 0 {
						t.Error("it agrees: it is no longer pending")
					}
					return
				}
				for _, d := range found[i] {
					if explained(t, label(r), d) < 0 {
						t.Errorf("%s: its %s differs, and no row says why:\nrecorded %s\nreplayed %s", d.Object, d.Field, or(d.Recorded), or(d.Replayed))
					}
				}
			})
		}
	})
	if t.Failed() {
		return
	}
	o := outcome{rows: make([]map[string][]recording.Difference, len(differences()))}
	for i, r := range list {
		name := label(r)
		o.all = append(o.all, name)
		if _, later := pending()[name]; later {
			continue
		}
		if len(found[i]) == 0 {
			o.agreeing = append(o.agreeing, name)
		}
		for _, d := range found[i] {
			n := explained(t, name, d)
			if o.rows[n] == nil {
				o.rows[n] = map[string][]recording.Difference{}
			}
			o.rows[n][name] = append(o.rows[n][name], d)
		}
	}
	o.check(t, taken)
	compareFidelity(t, fidelity(t, o))
}

// check fails for rows that explain nothing.
func (o *outcome) check(t *testing.T, taken [][]int) {
	t.Helper()
	for n, row := range differences() {
		for _, in := range row.in {
			if len(o.rows[n][in]) == 0 {
				t.Errorf("nothing of recording %s is explained by %q of %s %s", in, row.why, row.object, row.field)
			}
		}
	}
	for _, in := range slices.Sorted(maps.Keys(pending())) {
		if !slices.Contains(o.all, in) {
			t.Errorf("recording %s is pending, but there is none", in)
		}
	}
	for n, e := range differencesEverywhere() {
		if !slices.ContainsFunc(taken, func(counts []int) bool { return counts[n] > 0 }) {
			t.Errorf("nowhere is %s", e.what)
		}
	}
	if len(o.agreeing) < leastAgreeing {
		t.Errorf("%d recordings agree in everything, want %d", len(o.agreeing), leastAgreeing)
	}
}

func or(text string) string {
	if text == "" {
		return "(nothing)"
	}
	return text
}
