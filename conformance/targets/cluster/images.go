package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// fieldImage is the field whose text is a reference, wherever it stands.
const fieldImage = "image"

// images are what images are called on this cluster. Fixtures never see it: what they send is mapped, and what they look
// at is mapped back.
type images struct {
	there map[string]string
	// back is sorted by length, the longest first, so that of two names that begin alike the right one is taken.
	back []alias
}

// alias is a name here and the fixture's name for it.
type alias struct{ here, fixture string }

// AmbiguousImageError says that two images are mapped to one.
type AmbiguousImageError struct{ First, Second, Here string }

func (e *AmbiguousImageError) Error() string {
	return fmt.Sprintf("images %s and %s are both mapped to %s: fixtures could not tell them apart", e.First, e.Second, e.Here)
}

func newImages(there map[string]string) (*images, error) {
	m := &images{there: there}
	taken := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(there)) {
		here := there[name]
		if first, ok := taken[here]; ok {
			return nil, &AmbiguousImageError{First: first, Second: name, Here: here}
		}
		taken[here] = name
		m.back = append(m.back, alias{here: here, fixture: name})
	}
	slices.SortStableFunc(m.back, func(a, b alias) int { return len(b.here) - len(a.here) })
	return m, nil
}

// forward is what an image of a fixture is called here. A name without a tag stands for all its tags.
func (m *images) forward(name string) string {
	if here, ok := m.there[name]; ok {
		return here
	}
	if repository, tag, ok := cutTag(name); ok {
		if here, mapped := m.there[repository]; mapped {
			if _, _, tagged := cutTag(here); tagged {
				return here
			}
			return here + tag
		}
	}
	return name
}

// backward is what a fixture calls an image of this cluster.
func (m *images) backward(name string) string {
	for _, a := range m.back {
		if rest, ok := strings.CutPrefix(name, a.here); ok && (rest == "" || rest[0] == '@' || rest[0] == ':') {
			return a.fixture + rest
		}
	}
	return name
}

// cutTag cuts a reference before its tag or digest.
func cutTag(reference string) (repository, tag string, ok bool) {
	if i := strings.IndexByte(reference, '@'); i > 0 {
		return reference[:i], reference[i:], true
	}
	if i := strings.LastIndexByte(reference, ':'); i > strings.LastIndexByte(reference, '/') {
		return reference[:i], reference[i:], i > 0
	}
	return reference, "", false
}

// rename applies a function to every image below a JSON value, in place.
func rename(value any, to func(string) string) {
	switch v := value.(type) {
	case map[string]any:
		for key, item := range v {
			if name, ok := item.(string); ok && key == fieldImage {
				v[key] = to(name)
				continue
			}
			rename(item, to)
		}
	case []any:
		for _, item := range v {
			rename(item, to)
		}
	}
}

// renaming is a client that speaks of images as fixtures do.
type renaming struct {
	client.Client
	images *images
}

// Create implements client.Writer.
func (c renaming) Create(ctx context.Context, obj client.Object, opts ...client.CreateOption) error {
	u, ok := obj.(*unstructured.Unstructured)
	if !ok {
		return c.Client.Create(ctx, obj, opts...)
	}
	sent := u.DeepCopy()
	rename(sent.Object, c.images.forward)
	if err := c.Client.Create(ctx, sent, opts...); err != nil {
		return err
	}
	rename(sent.Object, c.images.backward)
	u.Object = sent.Object
	return nil
}

// Patch implements client.Writer.
func (c renaming) Patch(ctx context.Context, obj client.Object, p client.Patch, opts ...client.PatchOption) error {
	renamed, err := c.patch(obj, p)
	if err != nil {
		return err
	}
	return c.Client.Patch(ctx, obj, renamed, opts...)
}

// patch is a patch with the images of this cluster. In a JSON patch an image may also be the value itself.
func (c renaming) patch(obj client.Object, p client.Patch) (client.Patch, error) {
	data, err := p.Data(obj)
	if err != nil {
		return nil, err
	}
	var body any
	if err := json.Unmarshal(data, &body); err != nil {
		return nil, fmt.Errorf("decoding the patch: %w", err)
	}
	if ops, ok := body.([]any); ok {
		for _, op := range ops {
			if m, ok := op.(map[string]any); ok {
				path, _ := m["path"].(string)
				if name, ok := m["value"].(string); ok && strings.HasSuffix(path, "/"+fieldImage) {
					m["value"] = c.images.forward(name)
				}
			}
		}
	}
	rename(body, c.images.forward)
	if data, err = json.Marshal(body); err != nil {
		return nil, fmt.Errorf("encoding the patch: %w", err)
	}
	return client.RawPatch(p.Type(), data), nil
}

// List implements client.Reader.
func (c renaming) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	if err := c.Client.List(ctx, list, opts...); err != nil {
		return err
	}
	if u, ok := list.(*unstructured.UnstructuredList); ok {
		for i := range u.Items {
			rename(u.Items[i].Object, c.images.backward)
		}
	}
	return nil
}

// Get implements client.Reader.
func (c renaming) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	if err := c.Client.Get(ctx, key, obj, opts...); err != nil {
		return err
	}
	if u, ok := obj.(runtime.Unstructured); ok {
		rename(u.UnstructuredContent(), c.images.backward)
	}
	return nil
}
