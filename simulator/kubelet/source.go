package kubelet

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

type Event struct {
	Type   watch.EventType
	Object client.Object
}

type Source interface {
	Watch(gvk schema.GroupVersionKind, handler func(Event)) (stop func(), err error)
}
