package apiserver

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/shelf"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// This file is lists of the past: further pages of a list, and lists of an exact
// version. They are made of what is stored now and of the history of changes, so
// that they last as long as the history does.

const (
	pageExpired = "The provided continue parameter is too old to display a consistent list result. You can start a new list without " +
		"the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided " +
		"token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned " +
		"and now may show up in the list."
	versionExpired = "The resourceVersion for the provided list is too old."
)

// continuation is what a continue token holds, in the form of a real one. A version
// of -1 is the newest.
type continuation struct {
	APIVersion      string `json:"v"`
	ResourceVersion int64  `json:"rv"`
	StartKey        string `json:"start"`
}

const (
	continuationVersion = "meta.k8s.io/v1"
	newestVersion       = -1
)

func (c continuation) String() string {
	data, err := json.Marshal(c)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

func parseContinuation(token string) (c continuation, err error) {
	data, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	switch {
	case err != nil:
	case c.ResourceVersion == 0:
		err = fmt.Errorf("incorrect encoded start resourceVersion (version %s)", continuationVersion)
	case c.APIVersion != continuationVersion:
		err = fmt.Errorf("server does not recognize this encoded version %q", c.APIVersion) //nolint:misspell // the server's words
	default:
		return c, nil
	}
	return c, apierrors.NewBadRequest("invalid continue token: continue key is not valid: " + err.Error())
}

// place says where a list begins: in which version (zero is the newest) and after
// which path.
func (s *Server) place(sel selection) (version uint64, start string, err error) {
	if sel.version == "" && sel.token == "" {
		return 0, "", nil
	}
	if version, err = parseVersion(sel.version); err != nil {
		return 0, "", apierrors.NewBadRequest("invalid resource version: " + err.Error())
	}
	if sel.token != "" {
		c, err := parseContinuation(sel.token)
		switch {
		case err != nil:
			return 0, "", err
		case version != 0:
			return 0, "", apierrors.NewBadRequest("specifying resource version is not allowed when using continue")
		case c.ResourceVersion == newestVersion:
			return 0, c.StartKey, nil
		}
		return uint64(c.ResourceVersion), c.StartKey, nil
	}
	if err := s.reached(version); err != nil {
		return 0, "", err
	}
	if sel.match == metav1.ResourceVersionMatchExact || sel.match == "" && sel.limit > 0 {
		return version, "", nil
	}
	return 0, "", nil // it need only be not older
}

// listPast is list in a version of the past.
func (s *Server) listPast(r *resource, sel selection, version uint64, start string) (page, error) {
	changed := map[string]client.Object{} // as they were; nil: were not there
	known := r.history.since(version, func(ch Change) {
		key := path(client.ObjectKeyFromObject(ch.Object()))
		if _, seen := changed[key]; !seen {
			changed[key] = ch.old.Object() // not Old, which has what is deleted go by another version
		}
	})
	if !known && sel.token != "" {
		err := apierrors.NewResourceExpired(pageExpired)
		err.ErrStatus.Continue = continuation{APIVersion: continuationVersion, ResourceVersion: newestVersion, StartKey: start}.String()
		return page{}, err
	}
	if !known {
		return page{}, apierrors.NewResourceExpired(versionExpired)
	}
	var all []*entry
	r.table.each(sel.namespace, start, func(e *entry) bool {
		if _, other := changed[e.path]; !other {
			all = append(all, e)
		}
		return true
	})
	prefix := ""
	if sel.namespace != "" {
		prefix = sel.namespace + "/"
	}
	for _, at := range slices.Sorted(maps.Keys(changed)) {
		if obj := changed[at]; obj != nil && at >= start && strings.HasPrefix(at, prefix) {
			all = append(all, &entry{path: at, ref: shelf.Direct(obj)})
		}
	}
	slices.SortFunc(all, func(a, b *entry) int { return strings.Compare(a.path, b.path) })
	p := r.paged(sel, version, func(fn func(*entry) bool) {
		for _, e := range all {
			if !fn(e) {
				return
			}
		}
	})
	return p, nil
}

// paged makes a page of the entries that each visits.
func (r *resource) paged(sel selection, version uint64, each func(func(*entry) bool)) page {
	p := page{version: version}
	var more int64
	next := ""
	each(func(e *entry) bool {
		obj := e.object()
		if !r.selected(obj, sel.labels, sel.fields) {
			return true
		}
		if sel.limit > 0 && int64(len(p.objects)) == sel.limit {
			if next == "" {
				next = e.path
			}
			more++
			return true
		}
		p.objects = append(p.objects, obj)
		return true
	})
	if more > 0 {
		p.token = continuation{APIVersion: continuationVersion, ResourceVersion: int64(version), StartKey: next}.String()
		if (sel.labels == nil || sel.labels.Empty()) && (sel.fields == nil || sel.fields.Empty()) {
			p.remaining = &more // a real server does not count what a selector would leave
		}
	}
	return p
}
