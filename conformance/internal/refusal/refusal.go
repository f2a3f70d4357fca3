// Package refusal explains why an API server refused a manifest: each thing that is wrong, at its place in the file.
//
//	refusal.go    what the answer of admission means
//	misfit.go     fields that do not fit their Go type
//	elsewhere.go  fields that the API has in another place, version or release
//	graph.go      what is wrong between the tasks of a Pipeline
package refusal

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
)

// Explain returns what is wrong with a manifest of a file that an API server refused. Without a better place it is the
// manifest's. scheme, if there is one, has the Go types of the API's kinds.
func Explain(m *fixture.Manifest, file []byte, scheme *runtime.Scheme, err error) source.Errors {
	x := &explanation{m: m, text: file}
	answer := err.Error()
	if t := typeOf(m, scheme); t != nil && undecodable(answer) {
		x.misfits(t)
	}
	if _, reasons, found := strings.Cut(answer, "validation failed: "); found && len(x.errs) == 0 {
		x.reasons(reasons)
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) && len(x.errs) == 0 && status.Status().Details != nil {
		for _, cause := range status.Status().Details.Causes {
			switch cause.Field {
			case "":
			case "[]": // the object as a whole, as an API server says it
				x.add(m.Pos, "", cause.Message, "")
			default:
				x.add(m.PlaceOf(cause.Field), cause.Field, cause.Message, "")
			}
		}
	}
	if len(x.errs) == 0 {
		at, path := m.Locate(answer)
		x.add(at, path, answer, "correct the manifest")
	}
	return x.errs
}

// typeOf is the Go type of a manifest's kind, if a scheme has it.
func typeOf(m *fixture.Manifest, scheme *runtime.Scheme) reflect.Type {
	group, version := m.GroupVersion()
	if scheme == nil {
		return nil
	}
	object, err := scheme.New(schema.GroupVersionKind{Group: group, Version: version, Kind: m.Kind})
	if err != nil {
		return nil
	}
	return reflect.TypeOf(object).Elem()
}

// undecodable reports whether an answer is about the form of an object, not its content.
func undecodable(answer string) bool {
	for _, words := range []string{"cannot decode incoming", "json: ", "unmarshal", "unknown field", "time: ", "impossible ParamValues.Type"} {
		if strings.Contains(answer, words) {
			return true
		}
	}
	return false
}

// likeV1 are features that need a gate here, and none in Tekton v1.x, by what admission calls them.
var likeV1 = []string{"results type", "object type parameter", "matrix"}

// explanation collects what is wrong with one manifest.
type explanation struct {
	m    *fixture.Manifest
	text []byte // of the whole file
	errs source.Errors
}

func (x *explanation) add(at source.Position, path, message, hint string) {
	x.errs.Add(&source.Error{Position: at, Path: path, Message: x.m.Ref() + " was refused: " + strings.TrimSpace(message), Hint: hint})
}

// misfits adds the fields that the type of the object does not have or take, and params without a value.
func (x *explanation) misfits(t reflect.Type) {
	doc := x.m.Document()
	for _, f := range misfits(doc, t) {
		if f.field == "" {
			x.add(doc.Position(f.at), f.path, f.problem, f.hint)
			continue
		}
		message, hint := explained(f)
		if message == "" {
			message, hint = fmt.Sprintf("unknown field %q", f.field), source.DidYouMean(f.field, f.known)
		}
		x.add(doc.Position(f.at), f.path, message, hint)
	}
	for _, p := range x.m.Valueless() {
		x.add(x.m.PlaceOf(p.Path), p.Path, fmt.Sprintf("the param %q has no value", p.Name), `add one, such as value: text, or value: "" for an empty one`)
	}
}

var (
	// gated is what admission says of a field whose feature is not enabled.
	gated = regexp.MustCompile(`^(.*?) ?requires "([a-z-]+)" feature gate to be ("?[a-z]+"?)(?: or "[a-z]+")? but it is "?([a-z]+)"?`)
	// quoted is what admission says of a field by its whole value.
	quoted = regexp.MustCompile(`^(.*?) in ("(?:[^"\\]|\\.)*")(.*)$`)
	// located splits the fields off a problem.
	located = regexp.MustCompile(`^(.*?): ((?:spec|metadata)[.\[ ,].*|spec|metadata)$`)
)

// reasons adds the problems that admission names, one a line; lines without a field go on with the one before.
func (x *explanation) reasons(text string) {
	for line := range strings.SplitSeq(text, "\n") {
		if g := gated.FindStringSubmatch(line); g != nil {
			gate := fmt.Sprintf("%s=%s", g[2], strings.Trim(g[3], `"`))
			like := ""
			if slices.Contains(likeV1, g[1]) {
				like = ", or --like v1 for all that Tekton v1.x has on by default"
			}
			x.add(x.m.PlaceOfFeature(g[1]), "", fmt.Sprintf("%s needs the feature gate %s, which is %s", g[1], gate, g[4]),
				fmt.Sprintf("give --feature-flag %s%s; in the header of a fixture: gates: {%s: %s}", gate, like, g[2], strings.Trim(g[3], `"`)))
			continue
		}
		found := located.FindStringSubmatch(line)
		if found == nil {
			if n := len(x.errs); n > 0 && strings.TrimSpace(line) != "" {
				x.errs[n-1].Message += "; " + strings.TrimSuffix(strings.TrimSpace(line), ":")
			}
			continue
		}
		x.problem(found[1], strings.Split(found[2], ", "))
	}
}

// problem adds one thing that is wrong, of one field or of several together. Of variables each has a place of its own.
func (x *explanation) problem(message string, paths []string) {
	if x.graph(message) {
		return
	}
	value, variables := "", false
	q := quoted.FindStringSubmatch(message)
	if q != nil {
		var err error
		value, err = strconv.Unquote(q[2])
		variables = err == nil && mention.MatchString(value)
	}
	if !variables {
		// Of several fields the one that is there is the one to look at.
		named := slices.MinFunc(paths, func(a, b string) int { return x.m.Missing(a) - x.m.Missing(b) })
		at, path := x.m.Field(named)
		if len(paths) > 1 {
			message += ": " + strings.Join(paths, ", ")
		}
		hint := remedy(message)
		if strings.HasSuffix(named, "].name") && len(x.m.PipelineTasks()) > 0 && strings.HasPrefix(message, "expected exactly one, got both") {
			message, hint = "another task of the Pipeline has this name", "rename one of them"
		}
		x.add(at, path, message, hint)
		return
	}
	seen := map[source.Position]bool{}
	for _, path := range paths {
		if at, real := x.m.Field(path); !seen[at] {
			seen[at] = true
			x.variables(at, real, q[1], value)
		}
	}
}

// remedies say what to do about some of the things that admission says.
var remedies = [][2]string{
	{"missing field(s)", "add it"},
	{"expected exactly one, got both", "remove one of them"},
	{"expected exactly one, got neither", "give one of them"},
	{"script cannot be used with command", "remove command, or write it into the script"},
	{"must not set the field(s)", "remove it"},
	{"expected 0 <= ", "give fewer values, or more room by the key default-max-matrix-combinations-count of config-defaults"},
	{"is not recognized. valid operators", "write in or notin"}, //nolint:misspell // the words are the reference's
	{"parameter appears more than once", "rename one, or remove it"},
}

func remedy(message string) string {
	for _, r := range remedies {
		if strings.Contains(message, r[0]) {
			return r[1]
		}
	}
	return ""
}

// variables adds the variables of a field that admission refused for its value, at their places in the file.
func (x *explanation) variables(at source.Position, path, words, value string) {
	declared := x.m.Params()
	names := make([]string, len(declared))
	for i, p := range declared {
		names[i] = p.Name
	}
	culprits := blamed(words, value, declared)
	for _, v := range culprits {
		var message, hint string
		switch {
		case strings.HasPrefix(words, "non-existent") && v.param != "":
			message, hint = "there is no param for the variable "+v.text, "declare it in params, or correct the name"
			if near := source.Nearest(v.param, names); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
		case strings.HasPrefix(words, "non-existent") && len(x.m.PipelineTasks()) > 0 && strings.HasPrefix(v.text, "$(context.pipeline"):
			message, hint = "there is no variable "+v.text, "use $(context.pipelineRun.name), .namespace or .uid, or $(context.pipeline.name), or $(context.pipelineTask.retries)"
		case strings.HasPrefix(words, "non-existent"):
			message, hint = "there is no variable "+v.text, "use $(context.taskRun.name), .namespace or .uid, or $(context.task.name) or .retry-count"
		case strings.HasPrefix(words, "variable type invalid"):
			message, hint = "variable type invalid: "+v.text+" is a list or an object, but text is needed here", "give it to the step in args, and use \"$@\" in the script; or take one item, such as $(params."+v.param+"[0])"
		case strings.Contains(words, "isolated"):
			message, hint = v.text+" is a list, but there is other text beside it", "make it an item of its own"
		default:
			message = words + ": " + v.text
			hint = "write a name with dots in brackets, such as $(params[\"a.b\"])"
		}
		where := x.where(at, v.text)
		if x.m.Missing(path) > 0 {
			path = x.m.PathAt(where)
		}
		x.add(where, path, message, hint)
	}
}

// where is the first place of a text in the file from the beginning of the value that contains it.
func (x *explanation) where(at source.Position, text string) source.Position {
	lines := strings.Split(string(x.text), "\n")
	for n := max(at.Line-1, 0); n < len(lines); n++ {
		from := 0
		if n == at.Line-1 {
			from = min(max(at.Column-1, 0), len(lines[n]))
		}
		if i := strings.Index(lines[n][from:], text); i >= 0 {
			return source.Position{File: at.File, Line: n + 1, Column: from + i + 1}
		}
	}
	return at
}

// variable is one mention of a variable, and the param that it names, if it does.
type variable struct{ text, param string }

var mention = regexp.MustCompile(`\$\((?:inputs\.)?(params|context|resources|outputs|inputs)(?:\.([^)\s\[]+)|\["([^"\s]+)"\]|\['([^'\s]+)'\])[^)\s]*\)`)

// blamed are the variables of a value that a refusal means; if none can be told from the others, all.
func blamed(words, value string, declared []fixture.Param) []variable {
	var all, blamed []variable
	for _, found := range mention.FindAllStringSubmatch(value, -1) {
		v := variable{text: found[0]}
		if found[1] == "params" {
			v.param = found[2] + found[3] + found[4]
		}
		base, _, _ := strings.Cut(v.param, ".")
		known, list := false, false
		for _, p := range declared {
			if p.Name == v.param || found[2] != "" && p.Name == base {
				known, list = true, p.List
			}
		}
		all = append(all, v)
		switch {
		case strings.HasPrefix(words, "non-existent") && (v.param == "" || !known),
			!strings.HasPrefix(words, "non-existent") && list:
			blamed = append(blamed, v)
		}
	}
	if len(blamed) == 0 {
		return all
	}
	return blamed
}
