package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	rules "github.com/plumbline-ci/plumbline/api/admission"
)

// maxConverted bounds one object of a ConversionReview. An API server stores objects of up to 1.5 MiB and takes requests of
// up to 3 MiB.
const maxConverted = 3 << 20

// Conversion returns the API's conversion webhook. An API server sends the objects of a whole list in one review, so they
// are decoded, converted and answered one at a time: the memory that a review takes does not grow with its length.
func Conversion() http.Handler { return converter{rules.API()} }

// converter is the API's conversion webhook. It answers in the version of ConversionReview in which it is asked; the two
// that exist look alike.
type converter struct{ rules rules.Rules }

// ServeHTTP implements http.Handler.
func (v converter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := conversion{rules: v.rules, in: &bounded{r: r.Body}, w: w}
	c.decoder = json.NewDecoder(c.in)
	err := c.review()
	if err == nil { // HTTP/1.1 wants the body read to its end
		_, err = io.Copy(io.Discard, c.in)
	}
	var large *tooLarge
	switch {
	case err == nil:
	case c.begun: // it is too late for another status code: the client sees the connection break
		panic(http.ErrAbortHandler)
	case errors.As(err, &large):
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
	default:
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

// conversion is one review while it is answered.
type conversion struct {
	rules   rules.Rules
	in      *bounded
	decoder *json.Decoder
	w       http.ResponseWriter
	// What came before the objects.
	version, kind, uid, desired string
	begun, answered             bool
}

// review reads the review's members in the order in which they come.
func (c *conversion) review() error {
	err := c.members(func(name string) error {
		switch name {
		case "apiVersion":
			return c.value(&c.version)
		case "kind":
			return c.value(&c.kind)
		case "request":
			return c.members(func(name string) error {
				switch name {
				case "uid":
					return c.value(&c.uid)
				case "desiredAPIVersion":
					return c.value(&c.desired)
				case "objects":
					return c.objects()
				}
				return c.value(new(json.RawMessage))
			})
		}
		return c.value(new(json.RawMessage))
	})
	if err == nil && !c.answered {
		return errors.New("a ConversionReview with a request is wanted, whose uid and desiredAPIVersion come before its objects")
	}
	return err
}

// members calls member for each member of the JSON object that comes next.
func (c *conversion) members(member func(name string) error) error {
	c.allow()
	if t, err := c.decoder.Token(); err != nil {
		return fmt.Errorf("decoding a ConversionReview: %w", err)
	} else if t != json.Delim('{') {
		return fmt.Errorf("decoding a ConversionReview: want an object, got %v", t)
	}
	for {
		c.allow()
		t, err := c.decoder.Token()
		if err != nil {
			return fmt.Errorf("decoding a ConversionReview: %w", err)
		}
		name, more := t.(string)
		if !more {
			return nil
		}
		if err := member(name); err != nil {
			return err
		}
	}
}

// value decodes the JSON value that comes next.
func (c *conversion) value(to any) error {
	c.allow()
	if err := c.decoder.Decode(to); err != nil {
		return fmt.Errorf("decoding a ConversionReview: %w", err)
	}
	return nil
}

// allow lets the decoder read as much as one object may have.
func (c *conversion) allow() { c.in.until = c.decoder.InputOffset() + maxConverted }

// objects converts the objects that come next and answers the review.
func (c *conversion) objects() error {
	if c.answered || c.version == "" || c.uid == "" || c.desired == "" {
		return errors.New("decoding a ConversionReview: apiVersion, uid and desiredAPIVersion come before the objects, which come once")
	}
	c.allow()
	t, err := c.decoder.Token()
	if err != nil {
		return fmt.Errorf("decoding a ConversionReview: %w", err)
	}
	switch t {
	case nil: // no objects
	case json.Delim('['):
	default:
		return fmt.Errorf("decoding a ConversionReview: objects: want a list, got %v", t)
	}
	var failed error
	for first := true; t != nil && c.decoder.More(); first = false {
		var raw json.RawMessage
		if err := c.value(&raw); err != nil {
			return err
		}
		if failed != nil { // what comes after is read, and not answered
			continue
		}
		var out []byte
		if out, failed = c.rules.ConvertJSON(raw, c.desired); failed != nil {
			continue
		}
		if err := c.begin(); err != nil {
			return err
		}
		if !first {
			out = append([]byte{','}, out...)
		}
		if _, err := c.w.Write(out); err != nil {
			return err
		}
	}
	if t != nil {
		c.allow()
		if _, err := c.decoder.Token(); err != nil { // the end of the list
			return fmt.Errorf("decoding a ConversionReview: %w", err)
		}
	}
	return c.end(failed)
}

// begin writes what comes before the converted objects, once.
func (c *conversion) begin() error {
	if c.begun {
		return nil
	}
	c.begun = true
	// The answer to the first objects is written while the last ones are still to come. HTTP/2 needs no asking.
	_ = http.NewResponseController(c.w).EnableFullDuplex()
	c.w.Header().Set("Content-Type", "application/json")
	_, err := fmt.Fprintf(c.w, `{"apiVersion":%s,"kind":%s,"response":{"uid":%s,"convertedObjects":[`, quoted(c.version), quoted(c.kind), quoted(c.uid))
	return err
}

// end writes what comes after them. An API server takes no object of a review that failed.
func (c *conversion) end(failed error) error {
	if err := c.begin(); err != nil {
		return err
	}
	c.answered = true
	result := metav1.Status{Status: metav1.StatusSuccess}
	if failed != nil {
		result = metav1.Status{Status: metav1.StatusFailure, Message: failed.Error()}
	}
	text, err := json.Marshal(result)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.w, "],\"result\":%s}}\n", text)
	return err
}

// quoted returns text as JSON.
func quoted(text string) []byte {
	out, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always has a form in JSON
	}
	return out
}

// bounded lets a reader be read as far as is allowed at the time.
type bounded struct {
	r           io.Reader
	read, until int64
}

// tooLarge says that one value has more bytes than are allowed.
type tooLarge struct{}

func (*tooLarge) Error() string {
	return fmt.Sprintf("one object of a ConversionReview may have %d bytes", maxConverted)
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	left := b.until - b.read
	if left <= 0 {
		return 0, &tooLarge{}
	}
	n, err := b.r.Read(p[:min(int64(len(p)), left)])
	b.read += int64(n)
	return n, err
}
