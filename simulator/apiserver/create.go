package apiserver

import (
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// maxGeneratedBase is how much of a generateName is kept before the suffix.
	maxGeneratedBase = 58
	generatedSuffix  = 5
	// generateAttempts is how often a server tries another name when the generated
	// one is taken.
	generateAttempts = 8
)

var errVersionOnCreate = errors.New("resourceVersion should not be set on objects to be created")

// create stores a new object and returns it, shared.
func (s *Server) create(c *Call, r *resource, in client.Object, o writeOptions) (client.Object, error) {
	d, err := s.decode(c, r, in, o)
	if err != nil {
		return nil, err
	}
	return s.createDecoded(c, r, d, o)
}

func (s *Server) createDecoded(c *Call, r *resource, d decoded, o writeOptions) (client.Object, error) {
	var err error
	obj := d.obj
	if !r.Namespaced {
		obj.SetNamespace("")
	}
	wipe(obj)
	if r.strategy.apply != nil {
		r.strategy.apply(obj)
	}
	if r.tracking && d.managed == nil {
		d.managed = s.managedAfter(c, r, nil, obj, o)
	}
	req := c.admitting(Request{Operation: OperationCreate, Object: obj, Raw: d.raw, Unknown: d.unknown, resource: r})
	if obj, err = s.admit(req); err != nil {
		return nil, err
	}
	version := obj.GetResourceVersion()
	generated := obj.GetName() == "" && obj.GetGenerateName() != ""
	obj.SetCreationTimestamp(s.now())
	obj.SetUID(types.UID(s.uids.UUID()))
	obj.SetResourceVersion("")
	if d.managed != nil {
		setManaged(obj, d.managed)
	}
	if r.strategy.generation != generationUnused {
		obj.SetGeneration(1)
	}
	if !r.strategy.keepStatus && (r.Status || !r.strategy.custom) {
		r.shape.takeStatus(obj, nil)
	}
	if r.strategy.created != nil {
		r.strategy.created(s, obj)
	}
	for attempt := 1; ; attempt++ {
		if generated {
			obj.SetName(s.generate(obj.GetGenerateName()))
		}
		c.Name = obj.GetName()
		if attempt == 1 {
			errs := r.validateMeta(obj)
			if r.strategy.validate != nil {
				errs = append(errs, r.strategy.validate(obj)...)
			}
			errs = append(errs, r.custom.validate(obj, nil)...)
			if len(errs) > 0 {
				return nil, r.invalid(obj.GetName(), errs)
			}
		}
		if err := s.validateAdmission(req); err != nil {
			return nil, err
		}
		key := client.ObjectKeyFromObject(obj)
		if version != "" && version != "0" {
			return nil, internal(errVersionOnCreate)
		}
		if r.stored().table.get(key) != nil {
			if generated && attempt < generateAttempts {
				continue
			}
			if generated {
				return nil, apierrors.NewGenerateNameConflict(r.gr, key.Name, 1)
			}
			return nil, r.alreadyExists(key.Name, r.stored().table.get(key).object())
		}
		if err := r.fits(obj, true, true); err != nil && !o.dryRun {
			return nil, err
		}
		if o.dryRun {
			return obj, nil
		}
		return s.file(c, r, key, obj)
	}
}

func (s *Server) generate(base string) string {
	if len(base) > maxGeneratedBase {
		base = base[:maxGeneratedBase]
	}
	return base + s.names.Name(generatedSuffix)
}

// createFor is a creation by the server itself.
func (s *Server) createFor(actor string, obj client.Object) error {
	r, err := s.resourceOf(obj)
	if err != nil {
		return err
	}
	c := &Call{Actor: actor, Verb: Create, GVK: r.GVK, Resource: r.gr, Namespace: obj.GetNamespace(), Name: obj.GetName()}
	_, err = s.create(c, r, obj, writeOptions{validation: metav1.FieldValidationIgnore})
	return err
}
