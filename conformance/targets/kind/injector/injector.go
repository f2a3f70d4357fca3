// Package injector is a foreign mutating webhook, such as a service mesh's: it adds containers to each new Pod. The path under which it
// is asked says which, so that one program without any state, and without any right, serves all fixtures.
package injector

import (
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
)

// Containers are what is added: Before in front of the Pod's init containers, After behind its containers.
type Containers struct {
	Before []corev1.Container `json:"before,omitempty"`
	After  []corev1.Container `json:"after,omitempty"`
}

const (
	prefix = "/inject/"
	// PathReady answers when the program serves.
	PathReady = "/ready"
	// longest is how long a segment of a path may be. An API server takes no segment that is not a DNS name.
	longest = 60
	// largest is how large a request is that is looked at. A Pod is smaller.
	largest = 8 << 20
)

// encoding has letters and digits that a DNS name can have.
var encoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// Path is where the containers are asked for.
func (c Containers) Path() (string, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("encoding the containers: %w", err)
	}
	var segments []string
	for segment := range slices.Chunk([]byte(encoding.EncodeToString(text)), longest) {
		segments = append(segments, string(segment))
	}
	return prefix + strings.Join(segments, "/"), nil
}

// parse is the way back.
func parse(path string) (c Containers, err error) {
	text, err := encoding.DecodeString(strings.ReplaceAll(strings.TrimPrefix(path, prefix), "/", ""))
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	return c, err
}

// Handler serves the webhook.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(PathReady, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("POST "+prefix, func(w http.ResponseWriter, r *http.Request) {
		answer, err := answer(r.URL.Path, json.NewDecoder(http.MaxBytesReader(w, r.Body, largest)))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer) // who asked may be gone
	})
	return mux
}

// answer is what an API server is told that asks about a Pod.
func answer(path string, body *json.Decoder) (*admissionv1.AdmissionReview, error) {
	c, err := parse(path)
	if err != nil {
		return nil, fmt.Errorf("reading the path: %w", err)
	}
	var review admissionv1.AdmissionReview
	if err := body.Decode(&review); err != nil {
		return nil, fmt.Errorf("reading the review: %w", err)
	}
	if review.Request == nil {
		return nil, errors.New("the review has no request")
	}
	patch, err := c.patch(review.Request.Object.Raw)
	if err != nil {
		return nil, err
	}
	kind := admissionv1.PatchTypeJSONPatch
	review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true, Patch: patch, PatchType: &kind}
	review.Request = nil
	return &review, nil
}

// operation is one of a JSON patch.
type operation struct {
	Op    string            `json:"op"`
	Path  string            `json:"path"`
	Value []json.RawMessage `json:"value"`
}

// patch adds the containers to a Pod. What a Pod has is passed on as it came.
func (c Containers) patch(pod []byte) ([]byte, error) {
	var had struct {
		Spec struct {
			InitContainers []json.RawMessage `json:"initContainers"`
			Containers     []json.RawMessage `json:"containers"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(pod, &had); err != nil {
		return nil, fmt.Errorf("reading the Pod: %w", err)
	}
	before, err := raw(c.Before)
	if err != nil {
		return nil, err
	}
	after, err := raw(c.After)
	if err != nil {
		return nil, err
	}
	operations := []operation{}
	if len(before) > 0 {
		operations = append(operations, operation{"add", "/spec/initContainers", slices.Concat(before, had.Spec.InitContainers)})
	}
	if len(after) > 0 {
		operations = append(operations, operation{"add", "/spec/containers", slices.Concat(had.Spec.Containers, after)})
	}
	return json.Marshal(operations)
}

func raw(list []corev1.Container) ([]json.RawMessage, error) {
	var out []json.RawMessage
	for i := range list {
		text, err := json.Marshal(&list[i])
		if err != nil {
			return nil, fmt.Errorf("encoding container %s: %w", list[i].Name, err)
		}
		out = append(out, text)
	}
	return out, nil
}
