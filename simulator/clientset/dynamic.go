package clientset

import (
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
)

// NewDynamic returns client-go's fake dynamic client over a server: for all that the server's scheme knows, and for the
// kinds given, by their resources.
func NewDynamic(o Options, kinds map[schema.GroupVersionResource]string) *dynamicfake.FakeDynamicClient {
	lists := map[schema.GroupVersionResource]string{}
	for _, group := range resources(o.Server) {
		gv, err := schema.ParseGroupVersion(group.GroupVersion)
		if err != nil {
			continue
		}
		for _, r := range group.APIResources {
			lists[gv.WithResource(r.Name)] = r.Kind + "List"
		}
	}
	maps.Copy(lists, kinds)
	for resource, list := range lists { //plumbline:unordered each for itself
		if !strings.HasSuffix(list, "List") {
			lists[resource] = list + "List"
		}
	}
	// The client converts nothing by its scheme but what it is given already, so an empty one will do.
	c := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), lists)
	c.ReactionChain, c.WatchReactionChain = nil, nil
	newReactor(&c.Fake, o, untyped)
	return c
}
