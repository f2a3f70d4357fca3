package outside

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// forge is the API of a server with a world's repositories, as GitHub has it. A repository is found by organization and
// name, as the end of the URL under which the world has it.
type forge struct{ *World }

// Do implements git.API.
func (w forge) Do(r *http.Request) (*http.Response, error) {
	_, where, ok := strings.Cut(r.URL.EscapedPath(), "/repos/")
	parts := strings.SplitN(where, "/", 4)
	if !ok || len(parts) < 2 {
		return nil, fmt.Errorf("only the API of GitHub is known here: scm-type github, and not %s", r.URL.Path)
	}
	for i := range parts {
		part, err := url.PathUnescape(parts[i])
		if err != nil {
			return nil, err
		}
		parts[i] = part
	}
	at := "https://github.com/" + parts[0] + "/" + parts[1]
	repository, err := w.repositories.Open(r.Context(), at)
	if err != nil {
		return nil, err
	}
	var out any
	switch {
	case len(parts) == 2:
		out = map[string]string{"clone_url": at + ".git"}
	case len(parts) == 4 && parts[2] == "commits":
		commit, err := repository.Commit(r.Context(), parts[3])
		if err != nil {
			return answer(r, http.StatusNotFound, ""), nil //nolint:nilerr // it is the answer
		}
		out = map[string]string{"sha": commit.String()}
	case len(parts) == 4 && parts[2] == "contents":
		commit, err := repository.Commit(r.Context(), r.URL.Query().Get("ref"))
		if err != nil {
			return answer(r, http.StatusNotFound, ""), nil //nolint:nilerr // it is the answer
		}
		data, err := repository.File(r.Context(), commit, parts[3])
		if err != nil {
			return answer(r, http.StatusNotFound, ""), nil //nolint:nilerr // it is the answer
		}
		out = map[string]string{"content": base64.StdEncoding.EncodeToString(data)}
	default:
		return answer(r, http.StatusNotFound, ""), nil
	}
	body, err := json.Marshal(out)
	return answer(r, http.StatusOK, string(body)), err
}
