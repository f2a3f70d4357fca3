package apiserver

import (
	"time"

	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// generations says which writes count in metadata.generation.
type generations int

const (
	generationUnused  generations = iota // the kind has none
	generationOfSpec                     // everything outside metadata and status counts
	generationOfWhole                    // everything outside metadata counts
)

// strategy is what is particular to a kind. Every function may be nil. The objects
// they get are settled and owned by the request; old ones are shared.
type strategy struct {
	// apply fills in what the API's version of the kind defaults to. It runs on
	// everything that is decoded.
	apply func(obj client.Object)
	// created and updated set and restore what the main endpoint may not decide.
	created func(s *Server, obj client.Object)
	updated func(obj, old client.Object)
	// name validates names; prefix asks whether more characters will follow.
	name func(name string, prefix bool) []string
	// ttl is how long an object lives after its last write; zero is for ever.
	ttl time.Duration
	// dotted is set where names are subdomains that always have a dot.
	dotted bool
	// validate, validateUpdate and validateStatus return what is wrong outside
	// metadata.
	validate       func(obj client.Object) field.ErrorList
	validateUpdate func(obj, old client.Object) field.ErrorList
	validateStatus func(obj, old client.Object) field.ErrorList
	// grace returns the grace period of a deletion; without it, deletion is
	// immediate.
	grace func(obj client.Object, asked *int64) int64
	// undeletable refuses a deletion, also in a dry run.
	undeletable func(r *resource, obj client.Object) error
	// deleting takes a deletion over when it returns true.
	deleting func(s *Server, c *Call, r *resource, obj client.Object) (done bool, err error)
	// posts are the subresources that are created under an object.
	posts map[string]func(s *Server, c *Call, r *resource, key client.ObjectKey, body client.Object, o writeOptions) error
	// putFinalizers serves updates of SubresourceFinalize.
	putFinalizers func(s *Server, c *Call, r *resource, key client.ObjectKey, body client.Object) (client.Object, error)
	// committed sees every change of the kind, after watchers have seen it.
	committed func(s *Server, r *resource, ch Change)
	// field returns the value of one of the fields that the kind can be selected
	// by besides name and namespace.
	field  func(obj client.Object, name string) string
	fields []string

	generation generations
	// custom kinds: status writes leave all metadata alone, and updates need a
	// resourceVersion.
	custom bool
	// oneByOne kinds cannot be deleted as a collection.
	oneByOne bool
	// keepStatus lets creations set status.
	keepStatus bool
	// statusTakesMeta lets status writes change labels, annotations and finalizers.
	statusTakesMeta bool
}

// customStrategy is that of every kind defined by a CustomResourceDefinition.
func customStrategy() strategy {
	return strategy{name: validation.NameIsDNSSubdomain, custom: true, generation: generationOfSpec}
}

// generationBumped reports whether an update from old to obj counts.
func (r *resource) generationBumped(obj, old client.Object, restSame bool) bool {
	if !restSame {
		return true
	}
	whole := r.strategy.generation == generationOfWhole || r.strategy.custom && !r.Status
	return whole && !r.shape.sameStatus(obj, old)
}

// wipe clears what a client cannot set on an object that it creates.
func wipe(obj client.Object) {
	obj.SetCreationTimestamp(metav1.Time{})
	obj.SetUID("")
	obj.SetDeletionTimestamp(nil)
	obj.SetDeletionGracePeriodSeconds(nil)
	obj.SetSelfLink("")
	obj.SetManagedFields(nil)
}
