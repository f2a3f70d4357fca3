package remote

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/conversion"
	"github.com/plumbline-ci/plumbline/api/defaulting"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/api/validation"
)

// InvalidError says that what was found is an object of the right kind that admission would have refused.
type InvalidError struct {
	Kind, Name string
	Err        error
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("the %s %q that was fetched is invalid: %v", e.Kind, e.Name, e.Err)
}

// Unwrap returns what is wrong with it.
func (e *InvalidError) Unwrap() error { return e.Err }

// decoder reads the kinds of the API, and nothing else.
var decoder = func() runtime.Decoder {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1beta1.AddToScheme, v1.AddToScheme} {
		if err := add(s); err != nil {
			panic(err) // the packages do not fit together
		}
	}
	return serializer.NewCodecFactory(s).UniversalDeserializer()
}()

// Object is the object whose text was found: one object, and of a kind of the API.
func (a Answer) Object() (runtime.Object, error) {
	text, err := base64.StdEncoding.Strict().DecodeString(a.Text)
	if err != nil {
		return nil, refused("error accessing data from remote resource: error decoding data from base64: %w", err)
	}
	return Decode(text)
}

// Decode reads the text of one object of a kind of the API. Its errors are of type *RequestError.
func Decode(text []byte) (runtime.Object, error) {
	text, n := document(text)
	if n > 1 {
		return nil, refused("invalid runtime object: the text has %d objects, want one", n)
	}
	o, _, err := decoder.Decode(text, nil, nil)
	if err != nil {
		return nil, refused("invalid runtime object: %w", err)
	}
	return o, nil
}

// document is the first document of a YAML text in which there is something, and the number of such documents.
func document(text []byte) (first []byte, n int) {
	var here []byte
	something := false
	end := func() {
		if something {
			if n++; n == 1 {
				first = here
			}
		}
		here, something = nil, false
	}
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte("---")) && (len(line) == 3 || bytes.ContainsAny(line[3:4], " \t\r\n")) {
			end()
			line = line[3:]
		}
		if n == 0 {
			here = append(here, line...)
		}
		content := bytes.TrimSpace(line)
		something = something || len(content) > 0 && content[0] != '#' && content[0] != '%' && !bytes.Equal(content, []byte("..."))
	}
	end()
	return first, n
}

// Task is a Task that was fetched, filled in and checked as admission does it. A ClusterTask, and one of another version of the API, will
// do. Errors are a *RequestError or an *InvalidError.
func Task(o runtime.Object, cfg *config.Config) (*v1beta1.Task, error) {
	var task *v1beta1.Task
	switch o := o.(type) {
	case *v1beta1.Task:
		task = o
	case *v1beta1.ClusterTask:
		task = &v1beta1.Task{TypeMeta: o.TypeMeta, ObjectMeta: o.ObjectMeta, Spec: o.Spec}
	case *v1.Task:
		defaulting.TaskV1(o)
		var err error
		if task, err = conversion.TaskFromV1(o); err != nil {
			return nil, refused("invalid runtime object: %w", err)
		}
	default:
		return nil, unfit(o, v1beta1.KindTask)
	}
	defaulting.TaskSpec(&task.Spec)
	if err := validation.TaskSpec(&task.Spec, cfg); err != nil {
		return nil, &InvalidError{v1beta1.KindTask, task.Name, err}
	}
	return task, nil
}

// Pipeline is a Pipeline that was fetched, and filled in. Whether it is valid is asked of every Pipeline when it is about to be run.
func Pipeline(o runtime.Object) (*v1beta1.Pipeline, error) {
	var p *v1beta1.Pipeline
	switch o := o.(type) {
	case *v1beta1.Pipeline:
		p = o
	case *v1.Pipeline:
		defaulting.PipelineV1(o)
		var err error
		if p, err = conversion.PipelineFromV1(o); err != nil {
			return nil, refused("invalid runtime object: %w", err)
		}
	default:
		return nil, unfit(o, v1beta1.KindPipeline)
	}
	defaulting.PipelineSpec(&p.Spec)
	return p, nil
}

var errNothing = errors.New("nothing was returned")

// unfit is the error for an object of the wrong kind.
func unfit(o runtime.Object, want string) error {
	if o == nil {
		return &RequestError{errNothing}
	}
	return refused("failed to convert obj %s into %s", o.GetObjectKind().GroupVersionKind(), want)
}
