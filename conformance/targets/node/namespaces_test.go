package node

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
)

// TestACollectionIsDeletedByOneRequest has an HTTP server answer as API servers do.
func TestACollectionIsDeletedByOneRequest(t *testing.T) {
	t.Parallel()
	list := `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[%s]}`
	status := `{"kind":"Status","apiVersion":"v1","status":%q,"reason":%q,"code":%d}`
	for _, row := range []struct {
		reason, group, kind string
		code                int
		answer              string
		path                string
		objects             int
		wrong               func(error) bool
	}{
		{"what was there", "", "Pod", 200, fmt.Sprintf(list, `{"metadata":{"name":"a","finalizers":["x"]},"spec":{}},{"metadata":{"name":"b"}}`), "/api/v1/namespaces/old/pods", 2, nil},
		{"nothing", "", "Pod", 200, fmt.Sprintf(list, ""), "/api/v1/namespaces/old/pods", 0, nil},
		{"a kind of a group", "example.com", "Policy", 200, fmt.Sprintf(list, ""), "/apis/example.com/v1/namespaces/old/policies", 0, nil},
		{"one that cannot be deleted by collections", "", "Pod", 405, fmt.Sprintf(status, "Failure", "MethodNotAllowed", 405), "/api/v1/namespaces/old/pods", 0, apierrors.IsMethodNotSupported},
		{"an answer that does not say what was there", "", "Pod", 200, fmt.Sprintf(status, "Success", "", 200), "/api/v1/namespaces/old/pods", 0, apierrors.IsMethodNotSupported},
		{"one that is not served", "", "Pod", 404, fmt.Sprintf(status, "Failure", "NotFound", 404), "/api/v1/namespaces/old/pods", 0, apierrors.IsNotFound},
		{"an unknown one", "", "Gadget", 200, "", "", 0, apierrors.IsNotFound},
		{"no JSON", "", "Pod", 200, "<html>", "/api/v1/namespaces/old/pods", 0, func(err error) bool { return strings.Contains(err.Error(), "pods") }},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			var asked []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				asked = append(asked, r.Method+" "+r.URL.Path+" "+string(body))
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(row.code)
				fmt.Fprint(w, row.answer)
			}))
			defer server.Close()
			c, err := discovery.NewDiscoveryClientForConfig(&rest.Config{Host: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			mapper := meta.NewDefaultRESTMapper(nil)
			mapper.Add(schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, meta.RESTScopeNamespace)
			mapper.Add(schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Policy"}, meta.RESTScopeNamespace)
			e := &emptier{rest: c.RESTClient(), mapper: mapper}
			objects, err := e.DeleteAll(t.Context(), schema.GroupVersionKind{Group: row.group, Version: "v1", Kind: row.kind}, "old")
			if len(objects) != row.objects || (err == nil) != (row.wrong == nil) || err != nil && !row.wrong(err) {
				t.Errorf("got %v, %v", objects, err)
			}
			if row.path == "" {
				return
			}
			if want := "DELETE " + row.path + ` {"propagationPolicy":"Background"}`; len(asked) != 1 || asked[0] != want {
				t.Errorf("asked %q, want %q", asked, want)
			}
			if row.objects > 0 && (objects[0].Name != "a" || len(objects[0].Finalizers) != 1) {
				t.Errorf("read %+v", objects)
			}
		})
	}
}
