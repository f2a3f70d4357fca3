//plumbline:adapter requests over HTTP come in goroutines of the server's and take real time

package webhook

import (
	"net/http"
	"time"
)

// What a webhook gives to one request and to all of them together. An API server waits ten seconds for an answer of these
// webhooks, so an answer that takes longer is of no use.
const (
	// maxReview bounds an AdmissionReview: the new object and the old one, of up to 1.5 MiB each, and what is around them.
	maxReview = 3<<20 + 64<<10
	// maxReviews and maxConversions are how many requests are worked on at once; the others wait.
	maxReviews, maxConversions = 32, 4
	// patience is how long a request may wait for its turn, and how long its body and its answer may take.
	patience = 10 * time.Second
	// conversionPatience is the same for the transfer of a list of thousands of objects.
	conversionPatience = 60 * time.Second
)

// limited gives a handler bodies of at most size bytes (0: as many as it takes), so many requests at once, and so much time
// for each transfer.
func limited(h http.Handler, size int64, atOnce int, transfer time.Duration) http.Handler {
	turns := make(chan struct{}, atOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if size > 0 {
			if r.ContentLength > size {
				http.Error(w, "the request's body is too large", http.StatusRequestEntityTooLarge)
				return
			}
			r.Body = http.MaxBytesReader(w, r.Body, size)
		}
		wait := time.NewTimer(patience)
		defer wait.Stop()
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
		case <-wait.C:
			w.Header().Set("Retry-After", "1")
			http.Error(w, "too many requests at once", http.StatusTooManyRequests)
			return
		case <-r.Context().Done():
			return
		}
		control, end := http.NewResponseController(w), time.Now().Add(transfer)
		_ = control.SetReadDeadline(end) // what cannot be limited, as a recorder in memory, needs no limit
		_ = control.SetWriteDeadline(end)
		h.ServeHTTP(w, r)
	})
}
