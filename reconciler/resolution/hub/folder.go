package hub

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// Folder is a hub whose every catalog is a folder, laid out like the catalog of Tekton: kind/name/version/name.yaml, as
// task/git-clone/0.9/git-clone.yaml.
type Folder struct{ FS fs.FS }

var _ API = Folder{}

// Do implements API.
func (f Folder) Do(r *http.Request) (*http.Response, error) {
	kind, name, version, ok := asked(r.URL.EscapedPath())
	if !ok {
		return answer(r, http.StatusNotFound, nil), nil
	}
	for _, v := range []string{version, spelled(version, Tekton), spelled(version, Artifact)} {
		file := path.Join(kind, name, v, name+".yaml")
		if !fs.ValidPath(file) {
			continue
		}
		text, err := fs.ReadFile(f.FS, file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		body, err := json.Marshal(map[string]any{"data": map[string]string{"yaml": string(text), "manifestRaw": string(text)}})
		return answer(r, http.StatusOK, body), err
	}
	return answer(r, http.StatusNotFound, nil), nil
}

// asked reads the path of a request to a hub of either type.
func asked(where string) (kind, name, version string, ok bool) {
	parts := strings.Split(strings.TrimPrefix(where, "/"), "/")
	for i, p := range parts {
		part, err := url.PathUnescape(p)
		if err != nil || strings.Contains(part, "/") {
			return "", "", "", false
		}
		parts[i] = part
	}
	switch {
	case len(parts) == 7 && parts[0] == "api":
		return strings.TrimPrefix(parts[3], "tekton-"), parts[5], parts[6], true
	case len(parts) == 7 && parts[0] == "v1":
		return parts[3], parts[4], parts[5], true
	}
	return "", "", "", false
}

func answer(r *http.Request, code int, body []byte) *http.Response {
	return &http.Response{StatusCode: code, Status: http.StatusText(code), Request: r, Body: io.NopCloser(bytes.NewReader(body))}
}
