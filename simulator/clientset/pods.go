package clientset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	fakerest "k8s.io/client-go/rest/fake"
	"k8s.io/client-go/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// core is the fake's client of the core group with Pods that have logs: the fake's own does not tell its reactors whose
// log is asked for.
type core struct {
	corev1client.CoreV1Interface
	c *Clientset
}

// Pods implements corev1client.PodsGetter.
func (g core) Pods(namespace string) corev1client.PodInterface {
	return pods{PodInterface: g.CoreV1Interface.Pods(namespace), c: g.c, namespace: namespace}
}

type pods struct {
	corev1client.PodInterface
	c         *Clientset
	namespace string
}

// GetLogs implements corev1client.PodExpansion. A reactor of a test for get pods/log that returns a *runtime.Unknown has
// its say first.
func (p pods) GetLogs(name string, opts *corev1.PodLogOptions) *rest.Request {
	resource := corev1.SchemeGroupVersion.WithResource("pods")
	transport := func(*http.Request) (*http.Response, error) {
		action := testing.GenericActionImpl{Value: opts}
		action.Verb, action.Namespace, action.Resource, action.Subresource = "get", p.namespace, resource, subresourceLog
		answer, err := p.c.Invokes(action, nil)
		if unknown, ok := answer.(*runtime.Unknown); ok && err == nil {
			return response(http.StatusOK, "text/plain", unknown.Raw)
		}
		var text []byte
		if err == nil {
			p.c.o.door().Enter(func() { text, err = p.c.logs(p.namespace, name, opts) })
		}
		if err == nil {
			return response(http.StatusOK, "text/plain", text)
		}
		status := metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Message: err.Error()}
		if known, ok := err.(apierrors.APIStatus); ok {
			status = known.Status()
			status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
		}
		body, err := json.Marshal(status)
		if err != nil {
			return nil, err
		}
		return response(int(status.Code), "application/json", body)
	}
	fake := &fakerest.RESTClient{
		Client:               fakerest.CreateHTTPClient(transport),
		NegotiatedSerializer: scheme.Codecs.WithoutConversion(),
		GroupVersion:         corev1.SchemeGroupVersion,
		VersionedAPIPath:     fmt.Sprintf("/api/v1/namespaces/%s/pods/%s/log", p.namespace, name),
	}
	return fake.Request()
}

func response(code int, contentType string, body []byte) (*http.Response, error) {
	return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(bytes.NewReader(body))}, nil
}

// logs answers as a server does for what it asks of a node. It runs on the kernel's goroutine.
func (c *Clientset) logs(namespace, name string, opts *corev1.PodLogOptions) ([]byte, error) {
	stored := c.o.Server.Shared(corev1.SchemeGroupVersion.WithKind("Pod"), client.ObjectKey{Namespace: namespace, Name: name})
	pod, ok := stored.(*corev1.Pod)
	if !ok {
		return nil, apierrors.NewNotFound(corev1.Resource("pods"), name)
	}
	if opts == nil {
		opts = &corev1.PodLogOptions{}
	}
	container, err := containerOf(pod, opts.Container)
	if err != nil {
		return nil, err
	}
	if opts.Previous {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("previous terminated container %q in pod %q not found", container, name))
	}
	if c.o.Logs == nil {
		return nil, nil
	}
	text, err := c.o.Logs(namespace, name, container)
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("container %q in pod %q is waiting to start: %v", container, name, err))
	}
	if n := opts.TailLines; n != nil {
		text = tail(text, *n)
	}
	if n := opts.LimitBytes; n != nil && int64(len(text)) > *n {
		text = text[:*n]
	}
	return text, nil
}

// containerOf says whose log is meant.
func containerOf(pod *corev1.Pod, asked string) (string, error) {
	var names, all []string
	for _, c := range pod.Spec.Containers {
		names = append(names, c.Name)
	}
	all = append(all, names...)
	var inits []string
	for _, c := range pod.Spec.InitContainers {
		inits = append(inits, c.Name)
	}
	all = append(all, inits...)
	if asked == "" {
		if len(all) == 1 {
			return names[0], nil
		}
		text := fmt.Sprintf("a container name must be specified for pod %s, choose one of: [%s]", pod.Name, strings.Join(names, " "))
		if len(inits) > 0 {
			text += fmt.Sprintf(" or one of the init containers: [%s]", strings.Join(inits, " "))
		}
		return "", apierrors.NewBadRequest(text)
	}
	for _, name := range all {
		if name == asked {
			return name, nil
		}
	}
	return "", apierrors.NewBadRequest(fmt.Sprintf("container %s is not valid for pod %s", asked, pod.Name))
}

// tail returns the last n lines.
func tail(text []byte, n int64) []byte {
	end := len(bytes.TrimSuffix(text, []byte("\n")))
	for i := end; ; n-- {
		if n <= 0 {
			return text[min(i+1, len(text)):]
		}
		if i = bytes.LastIndexByte(text[:i], '\n'); i < 0 {
			return text
		}
	}
}
