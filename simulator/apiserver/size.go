package apiserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"unsafe"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// How large things may be: a request, and what is stored of it, which is etcd's limit.
const (
	maxRequest = 3 << 20
	maxStored  = 3 << 19
	// maxUnweighed is how much text a part of an object may have without the object
	// being weighed. An object has three parts; one of them, metadata, has its own limit.
	maxUnweighed = maxStored / 3
)

var errTooLarge = errors.New("etcdserver: request is too large")

// checkRequest refuses a body that is too long to be read.
func checkRequest(length int) error {
	if length <= maxRequest {
		return nil
	}
	return apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("limit is %d", maxRequest))
}

// fits refuses an object that is too large to be stored. Of its parts only those are
// looked at that a write has changed, and only an object with much text in one of
// them is really weighed.
func (r *resource) fits(obj client.Object, rest, status bool) error {
	if r.shape.text(obj, rest, status) <= maxUnweighed {
		return nil
	}
	weight := 0
	if p, ok := obj.(interface{ Size() int }); ok {
		weight = p.Size()
	} else if data, err := json.Marshal(obj); err == nil {
		weight = len(data)
	}
	if weight <= maxStored {
		return nil
	}
	if err := checkRequest(weight); err != nil {
		return err
	}
	return internal(errTooLarge)
}

// text implements shape: how many bytes of text the largest of some parts has.
func (sh *typedShape) text(obj client.Object, rest, status bool) int {
	most := 0
	p := address(obj)
	if rest {
		for i := range sh.rest {
			most = max(most, sh.rest[i].plan.Text(unsafe.Add(p, sh.rest[i].offset)))
		}
	}
	if status && sh.status != nil {
		most = max(most, sh.status.plan.Text(unsafe.Add(p, sh.status.offset)))
	}
	return most
}

func (looseShape) text(obj client.Object, rest, status bool) int {
	most := 0
	for k, v := range content(obj) {
		if rest && isRest(k) || status && k == "status" {
			most = max(most, textOf(v))
		}
	}
	return most
}

func textOf(v any) int {
	n := 0
	switch x := v.(type) {
	case string:
		return len(x)
	case map[string]any:
		for k, v := range x {
			n += len(k) + textOf(v)
		}
	case []any:
		for _, v := range x {
			n += textOf(v)
		}
	}
	return n
}
