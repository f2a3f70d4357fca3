package webhook

import (
	"encoding/json"
	"net/http"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	rules "github.com/plumbline-ci/plumbline/api/admission"
)

// maxReview bounds what a review may hold: a list of objects of up to 1.5 MB each comes in several.
const maxReview = 256 << 20

// Conversion is the API's conversion webhook.
func Conversion() http.Handler { return converter{} }

// converter is the API's conversion webhook. It answers in the version of ConversionReview in which it is asked; the two
// that there are look alike.
type converter struct{}

// ServeHTTP implements http.Handler.
func (converter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var review apiextensionsv1.ConversionReview
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxReview)).Decode(&review); err != nil || review.Request == nil {
		http.Error(w, "a ConversionReview with a request is wanted", http.StatusBadRequest)
		return
	}
	response := &apiextensionsv1.ConversionResponse{UID: review.Request.UID, Result: metav1.Status{Status: metav1.StatusSuccess}}
	for _, o := range review.Request.Objects {
		out, err := rules.ConvertJSON(o.Raw, review.Request.DesiredAPIVersion)
		if err != nil {
			response.ConvertedObjects = nil
			response.Result = metav1.Status{Status: metav1.StatusFailure, Message: err.Error()}
			break
		}
		response.ConvertedObjects = append(response.ConvertedObjects, runtime.RawExtension{Raw: out})
	}
	review.Request, review.Response = nil, response
	w.Header().Set("Content-Type", "application/json")
	// Whoever hangs up asks again.
	_ = json.NewEncoder(w).Encode(review)
}
