package conformance

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/conformance/statement"
	"github.com/plumbline-ci/plumbline/fixtures"
	"github.com/plumbline-ci/plumbline/reports"
)

// subjectKind is the kind of a subject file.
const subjectKind = "Subject"

// anyKey stands for all keys of a ConfigMap.
const anyKey = "*"

// Subject is a file in which an implementation says what it is and what it claims.
type Subject struct {
	Pos            source.Position
	APIVersion     string                `yaml:"apiVersion" fixture:"required,enum=plumbline.dev/v1alpha1" doc:"plumbline.dev/v1alpha1"`
	Kind           string                `yaml:"kind" fixture:"required,enum=Subject" doc:"Subject"`
	Implementation subjectIdentity       `yaml:"implementation" fixture:"required" doc:"the implementation"`
	Profiles       []string              `yaml:"profiles" doc:"the profiles it conforms to; default: taskrun-core"`
	Features       []string              `yaml:"features" doc:"features beyond the mandatory ones"`
	Lacks          []string              `yaml:"lacks" doc:"mandatory features that it does not have"`
	Served         map[string][]string   `yaml:"served" doc:"the versions of tekton.dev in which it serves kinds, by plural, such as taskruns: [v1beta1, v1]; default: those that fixtures use"`
	APIVersions    []string              `yaml:"apiVersions" doc:"short for the same versions of taskruns and tasks in served"`
	Exclusions     []subjectExclude      `yaml:"exclusions" doc:"fixtures left out, by whom and why"`
	Misses         []subjectMiss         `yaml:"misses" doc:"statements of the documents that it is known to miss; fixtures that prove them are run, and fail"`
	Configuration  *SubjectConfiguration `yaml:"configuration" doc:"which of its configuration the run may change; default: none"`
	Roles          *SubjectRoles         `yaml:"roles" doc:"its service account and the role of its tenants: for the feature multi-tenancy"`
	Images         map[string]string     `yaml:"images" doc:"what images of fixtures are called where it runs, such as busybox: registry.example.com/busybox"`
	Substituted    []string              `yaml:"substituted" fixture:"enum=admission|controller|launcher|kubelet|custom-controller" doc:"components that are not its own where it runs; they are not judged"`
	CustomTask     *fixture.CustomTask   `yaml:"customTask" doc:"how to ask it for custom tasks: for the profile custom-task"`
	Reference      bool                  `yaml:"reference" doc:"this is the reference, bound to fixtures of level reference too"`

	places map[string]source.Position
}

type subjectIdentity struct {
	Organization string `yaml:"organization" doc:"its maker"`
	Project      string `yaml:"project" fixture:"required" doc:"its name"`
	URL          string `yaml:"url" doc:"its home page"`
	Version      string `yaml:"version" doc:"its version"`
	Contact      string `yaml:"contact" doc:"a contact"`
}

type subjectExclude struct {
	Fixture   string `yaml:"fixture" doc:"the fixture's name"`
	Statement string `yaml:"statement" doc:"or a statement's id, such as S004-176, for all fixtures that prove it"`
	By        string `yaml:"by" fixture:"required" doc:"who decided this"`
	Why       string `yaml:"why" fixture:"required" doc:"the reason"`
}

type subjectMiss struct {
	Statement string   `yaml:"statement" fixture:"required" doc:"the statement's id, such as S004-176"`
	Fixtures  []string `yaml:"fixtures" doc:"the fixtures that show it; default: all that prove the statement"`
	Why       string   `yaml:"why" fixture:"required" doc:"what it does instead, or since when"`
}

// SubjectRoles say who the implementation is to the API server, and which role it needs in the namespaces of its tenants.
type SubjectRoles struct {
	Namespace string `yaml:"namespace" fixture:"required" doc:"the namespace of its service account"`
	Account   string `yaml:"account" fixture:"required" doc:"its service account"`
	Tenant    string `yaml:"tenant" fixture:"required" doc:"the ClusterRole that it needs in each namespace whose runs it carries out"`
	Bound     string `yaml:"bound" fixture:"enum=everywhere|namespaces" doc:"where that role is bound: everywhere, the default, or in namespaces, and then the run binds it in those of fixtures"`
}

// boundByNamespace is a value of SubjectRoles.Bound.
const boundByNamespace = "namespaces"

// ByNamespace reports whether the tenants' role is bound namespace by namespace.
func (r *SubjectRoles) ByNamespace() bool { return r.Bound == boundByNamespace }

// User is the service account as the API server knows it.
func (r *SubjectRoles) User() string { return "system:serviceaccount:" + r.Namespace + ":" + r.Account }

// SubjectConfiguration says where the implementation's configuration is, and what of it may be changed.
type SubjectConfiguration struct {
	Namespace string                `yaml:"namespace" fixture:"required" doc:"the namespace of its ConfigMaps"`
	Changes   []SubjectConfigChange `yaml:"changes" fixture:"required" doc:"what may be changed"`
	Settle    source.Duration       `yaml:"settle" doc:"how long it takes to notice a change; default 3s"`
}

// SubjectConfigChange is one ConfigMap that may be changed.
type SubjectConfigChange struct {
	Of   string   `yaml:"of" fixture:"required,enum=feature-flags|config-defaults" doc:"the configuration that it holds"`
	Name string   `yaml:"name" doc:"the ConfigMap's name; default: the same as of"`
	Keys []string `yaml:"keys" fixture:"required" doc:"the keys that may be set, or * for all"`
}

// ConfigMap is the name of the ConfigMap.
func (c *SubjectConfigChange) ConfigMap() string { return cmp.Or(c.Name, c.Of) }

// ConfigMap is what the ConfigMap of a configuration is called.
func (c *SubjectConfiguration) ConfigMap(of string) string {
	for i := range c.Changes {
		if c.Changes[i].Of == of {
			return c.Changes[i].ConfigMap()
		}
	}
	return of
}

// Allows reports whether a key may be set.
func (c *SubjectConfiguration) Allows(of, key string) bool {
	return slices.ContainsFunc(c.Changes, func(x SubjectConfigChange) bool {
		return x.Of == of && (slices.Contains(x.Keys, key) || slices.Contains(x.Keys, anyKey))
	})
}

// ReadSubject reads the subject file of a name.
func ReadSubject(file string) (*Subject, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the subject: %w", err)
	}
	return LoadSubject(file, data)
}

// LoadSubject reads a subject file. The error is a source.Errors.
func LoadSubject(file string, data []byte) (*Subject, error) {
	docs, errs := source.Parse(file, data)
	if len(errs) > 0 {
		return nil, errs
	}
	if len(docs) != 1 {
		pos := source.Position{File: file, Line: 1, Column: 1}
		if len(docs) > 1 {
			pos = docs[1].Position(docs[1].Root)
		}
		errs.Add(&source.Error{Position: pos, Message: fmt.Sprintf("the file has %d documents, want one", len(docs)), Hint: "write one document of kind " + subjectKind})
		return nil, errs
	}
	places := map[string]source.Position{}
	s := &Subject{places: places}
	d := &source.Decoder{Doc: docs[0], Errs: &errs, Places: places}
	d.Decode(docs[0].Root, s, "")
	var profiles, features, mandatory []string
	for _, p := range fixture.Profiles() {
		profiles = append(profiles, p.Name)
		mandatory = append(mandatory, p.Mandatory()...)
		for _, f := range p.Features {
			features = append(features, f.Name)
		}
	}
	check := func(field string, words, known []string, what string) {
		for i, w := range words {
			if !slices.Contains(known, w) && !fixture.Private(w) {
				path := fmt.Sprintf("%s[%d]", field, i)
				errs.Add(&source.Error{Position: places[path], Path: path, Message: fmt.Sprintf("unknown %s %q", what, w), Hint: source.DidYouMean(w, known)})
			}
		}
	}
	check("profiles", s.Profiles, profiles, "profile")
	check("features", s.Features, features, "feature")
	check("lacks", s.Lacks, mandatory, "mandatory feature")
	s.check(places, &errs)
	if err := errs.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// tektonVersions are the versions of tekton.dev. A subject may serve others beside them.
var tektonVersions = []string{"v1alpha1", "v1beta1", "v1"}

// check refuses what contradicts itself.
func (s *Subject) check(places map[string]source.Position, errs *source.Errors) {
	fail := func(path, message, hint string) {
		errs.Add(&source.Error{Position: places[path], Path: path, Message: message, Hint: hint})
	}
	for i, f := range s.Lacks {
		if slices.Contains(s.Features, f) {
			fail(fmt.Sprintf("lacks[%d]", i), fmt.Sprintf("%s is also among the features", f), "remove it from one of them")
		}
	}
	versions := func(path string, list []string) {
		for i, v := range list {
			if !apiVersion.MatchString(v) {
				fail(fmt.Sprintf("%s[%d]", path, i), fmt.Sprintf("%q is not an API version", v), "write it without its group, such as v1beta1")
			}
		}
	}
	versions("apiVersions", s.APIVersions)
	if len(s.APIVersions) > 0 && len(s.Served) > 0 {
		fail("apiVersions", "apiVersions and served say the same", "write served alone")
	}
	kinds := servable()
	for _, plural := range slices.Sorted(maps.Keys(s.Served)) {
		path := source.Join("served", plural)
		if !slices.Contains(kinds, plural) {
			fail(path, fmt.Sprintf("unknown kind %q", plural), source.DidYouMean(plural, kinds))
		}
		versions(path, s.Served[plural])
		if !slices.ContainsFunc(s.Served[plural], func(v string) bool { return slices.Contains(tektonVersions, v) }) {
			fail(path, "names no version that the suite knows", "use "+strings.Join(tektonVersions, ", ")+", or leave the kind out: then its version is not checked")
		}
	}
	for i, x := range s.Exclusions {
		path := fmt.Sprintf("exclusions[%d]", i)
		if (x.Fixture == "") == (x.Statement == "") {
			fail(path, "an exclusion must name either a fixture or a statement", "give fixture or statement")
		}
		s.statement(x.Statement, path, fail)
	}
	for i, x := range s.Misses {
		s.statement(x.Statement, fmt.Sprintf("misses[%d]", i), fail)
	}
	for name, here := range s.Images {
		if name == "" || here == "" {
			fail("images", "an image has no name", "write name: name")
		}
	}
	if s.Configuration == nil {
		return
	}
	seen := map[string]bool{}
	for i, c := range s.Configuration.Changes {
		if seen[c.Of] {
			fail(fmt.Sprintf("configuration.changes[%d].of", i), c.Of+" is listed twice", "put the keys into one list")
		}
		seen[c.Of] = true
	}
}

// servable returns the plurals of Tekton's kinds.
func servable() []string {
	var out []string
	for _, k := range fixture.Kinds() {
		if k.Group == fixture.GroupTekton {
			out = append(out, fixture.Plural(k.Kind))
		}
	}
	return out
}

var apiVersion = regexp.MustCompile(`^v[0-9]+((alpha|beta)[0-9]+)?$`)

// statement refuses the id of a statement that does not exist.
func (s *Subject) statement(id, path string, fail func(path, message, hint string)) {
	table, err := statement.Embedded()
	if err != nil || id == "" {
		return // the suite's own table is tested
	}
	if _, ok := table.Get(id); !ok {
		fail(path+".statement", fmt.Sprintf("there is no statement %q", id), "plumbline fixture coverage lists them")
	}
}

// Check refuses names of fixtures that are not in a list; nil means the embedded suite. The error is a source.Errors.
func (s *Subject) Check(list []*fixture.Fixture) error {
	known, err := (&Options{Fixtures: list}).load(fixture.LoadOutlines)
	if err != nil {
		return err
	}
	var names []string
	for _, f := range known {
		names = append(names, f.Name())
		if f.Case != "" {
			names = append(names, f.Metadata.Name)
		}
	}
	var errs source.Errors
	check := func(name, path string) {
		if name != "" && !slices.Contains(names, name) {
			hint := "plumbline fixture list lists them"
			if near := source.Nearest(name, names); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			errs.Add(&source.Error{Position: s.places[path], Path: path, Message: fmt.Sprintf("there is no fixture %q", name), Hint: hint})
		}
	}
	for i, x := range s.Exclusions {
		check(x.Fixture, fmt.Sprintf("exclusions[%d].fixture", i))
	}
	for i, x := range s.Misses {
		for j, name := range x.Fixtures {
			check(name, fmt.Sprintf("misses[%d].fixtures[%d]", i, j))
		}
	}
	return errs.Err()
}

// SubjectSchema returns the format of subject files as a JSON schema (draft 2020-12): what the loader refuses for its
// shape, the schema refuses too.
func SubjectSchema() ([]byte, error) {
	return fixture.SchemaOf(reflect.TypeFor[Subject](), "https://plumbline.dev/schemas/v1alpha1/subject.json", "Plumbline subject")
}

// Claims returns what the subject claims.
func (s *Subject) Claims() Claims {
	c := Claims{Profiles: s.Profiles, Features: s.Features, Lacks: s.Lacks, Served: s.Served, CustomTask: s.CustomTask, Reference: s.Reference}
	if len(s.APIVersions) > 0 {
		c.Served = map[string][]string{"taskruns": s.APIVersions, "tasks": s.APIVersions}
	}
	for _, x := range s.Exclusions {
		c.Exclusions = append(c.Exclusions, Exclusion(x))
	}
	for _, m := range s.Misses {
		c.Misses = append(c.Misses, Miss(m))
	}
	return c
}

// Options returns the options by which the subject is judged, but the target: by the fixtures of the profiles that it names.
func (s *Subject) Options() (Options, error) {
	o := Options{Implementation: s.Identity(), Claims: s.Claims()}
	profiles := s.Profiles
	if len(profiles) == 0 {
		profiles = []string{fixture.ProfileTaskRunCore}
	}
	for _, profile := range profiles {
		tree, err := fs.Sub(fixtures.FS, profile)
		if err != nil {
			return o, err
		}
		list, err := fixture.LoadFS(tree, path.Join(suitePrefix, profile))
		if err != nil {
			return o, fmt.Errorf("loading fixtures: %w", err)
		}
		o.Fixtures = append(o.Fixtures, list...)
	}
	return o, nil
}

// Identity returns what the subject is, for the report.
func (s *Subject) Identity() reports.Implementation { return reports.Implementation(s.Implementation) }
