package command

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// mostWarnings is how many different warnings of an API server are shown.
const mostWarnings = 100

// warningCode is that of warnings that are meant for persons.
const warningCode = 299

// warnings shows what an API server warns of, each text once and in a line.
type warnings struct {
	w io.Writer

	mu   sync.Mutex
	said map[string]bool
}

var _ rest.WarningHandlerWithContext = (*warnings)(nil)

// newWarnings is for the configuration of every client that a command makes.
func newWarnings(w io.Writer) *warnings { return &warnings{w: w, said: map[string]bool{}} }

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext.
func (x *warnings) HandleWarningHeaderWithContext(_ context.Context, code int, _, text string) {
	text = strings.Join(strings.Fields(text), " ")
	if code != warningCode || text == "" {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.said[text] || len(x.said) > mostWarnings {
		return
	}
	x.said[text] = true
	if len(x.said) > mostWarnings {
		fmt.Fprintln(x.w, "plumbline: more warnings of the API server are not shown")
		return
	}
	fmt.Fprintln(x.w, "plumbline: warning of the API server: "+text)
}

// unlogged has controller-runtime log nothing. Without being told where its log goes, it complains with a stack when
// there is something to log; what a person needs to know commands say themselves.
var unlogged = sync.OnceFunc(func() { log.SetLogger(logr.Discard()) })
