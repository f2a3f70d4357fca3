package git

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	objects "github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/memory"
)

// Given are repositories that the program has, by URL.
type Given struct {
	byURL map[string]Repository
	// Missing is the error for a URL that it does not have.
	Missing func(url string) error
}

// Add gives it a repository. A URL is the same with and without .git.
func (g *Given) Add(url string, r Repository) {
	if g.byURL == nil {
		g.byURL = map[string]Repository{}
	}
	g.byURL[plain(url)] = r
}

// Open implements Repositories.
func (g *Given) Open(_ context.Context, url string) (Repository, error) {
	if r, ok := g.byURL[plain(url)]; ok {
		return r, nil
	}
	return nil, g.Missing(url)
}

func plain(url string) string { return strings.TrimSuffix(strings.TrimSuffix(url, "/"), ".git") }

// Folder is the repository in a folder: the one that git has there, or else one whose every revision has the files of the folder.
func Folder(folder string) (Repository, error) {
	for _, dir := range []string{filepath.Join(folder, ".git"), folder} {
		if info, err := os.Stat(filepath.Join(dir, "objects")); err == nil && info.IsDir() {
			if _, err := os.Stat(filepath.Join(dir, "HEAD")); err == nil {
				return Stored{Store: filesystem.NewStorage(osfs.New(dir), objects.NewObjectLRUDefault())}, nil
			}
		}
	}
	files, err := filesOf(os.DirFS(folder))
	if err != nil {
		return nil, err
	}
	r, err := New(map[string]map[string]string{"main": files})
	if err != nil {
		return nil, err
	}
	return always{r}, nil
}

// filesOf are the files of a folder.
func filesOf(folder fs.FS) (map[string]string, error) {
	const most = 64 << 20
	out, size := map[string]string{}, 0
	err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		data, err := fs.ReadFile(folder, name)
		if size += len(data); size > most {
			return errors.New("the folder has more than 64 MB")
		}
		out[name] = string(data)
		return err
	})
	return out, err
}

// always is a repository whose every revision is the branch main.
type always struct{ Stored }

// Commit implements Repository.
func (a always) Commit(ctx context.Context, _ string) (plumbing.Hash, error) {
	return a.Stored.Commit(ctx, "main")
}

// New makes a repository with branches, each with one commit of these files. HEAD is main, or else the first branch.
func New(branches map[string]map[string]string) (Stored, error) {
	s := memory.NewStorage()
	head := ""
	for _, b := range slices.Sorted(maps.Keys(branches)) {
		commit, err := Commit(s, branches[b], "Make "+b)
		if err != nil {
			return Stored{}, err
		}
		if err := s.SetReference(plumbing.NewHashReference(plumbing.NewBranchReferenceName(b), commit)); err != nil {
			return Stored{}, err
		}
		if head == "" || b == "main" {
			head = b
		}
	}
	if head == "" {
		return Stored{Store: s}, nil
	}
	return Stored{Store: s}, s.SetReference(plumbing.NewSymbolicReference(plumbing.HEAD, plumbing.NewBranchReferenceName(head)))
}

// Commit adds a commit of files to a store. The same files and message always give the same commit.
func Commit(s storer.EncodedObjectStorer, files map[string]string, message string, parents ...plumbing.Hash) (plumbing.Hash, error) {
	tree, err := treeOf(s, files)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	by := object.Signature{Name: "Plumbline", Email: "plumbline@example.com", When: time.Unix(0, 0).UTC()}
	return put(s, &object.Commit{Author: by, Committer: by, Message: message + "\n", TreeHash: tree, ParentHashes: parents})
}

// treeOf adds a tree of files, and the trees below it, to a store.
func treeOf(s storer.EncodedObjectStorer, files map[string]string) (plumbing.Hash, error) {
	below := map[string]map[string]string{}
	var t object.Tree
	for _, name := range slices.Sorted(maps.Keys(files)) {
		first, rest, nested := strings.Cut(name, "/")
		switch {
		case first == "" || first == "." || first == ".." || nested && rest == "":
			return plumbing.ZeroHash, fmt.Errorf("%q is not the path of a file", name)
		case nested && below[first] == nil:
			below[first] = map[string]string{rest: files[name]}
		case nested:
			below[first][rest] = files[name]
		default:
			blob, err := put(s, blobOf(files[name]))
			if err != nil {
				return plumbing.ZeroHash, err
			}
			t.Entries = append(t.Entries, object.TreeEntry{Name: first, Mode: filemode.Regular, Hash: blob})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(below)) {
		h, err := treeOf(s, below[name])
		if err != nil {
			return plumbing.ZeroHash, err
		}
		t.Entries = append(t.Entries, object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: h})
	}
	// Git sorts folders as if their names ended in a slash.
	key := func(e object.TreeEntry) string {
		if e.Mode == filemode.Dir {
			return e.Name + "/"
		}
		return e.Name
	}
	slices.SortFunc(t.Entries, func(a, b object.TreeEntry) int { return cmp.Compare(key(a), key(b)) })
	return put(s, &t)
}

// encoder is an object that can be written.
type encoder interface {
	Encode(plumbing.EncodedObject) error
}

func put(s storer.EncodedObjectStorer, e encoder) (plumbing.Hash, error) {
	o := s.NewEncodedObject()
	if err := e.Encode(o); err != nil {
		return plumbing.ZeroHash, err
	}
	return s.SetEncodedObject(o)
}

// blobOf is the content of a file.
type blobOf string

// Encode implements encoder.
func (b blobOf) Encode(o plumbing.EncodedObject) error {
	o.SetType(plumbing.BlobObject)
	w, err := o.Writer()
	if err != nil {
		return err
	}
	_, err = w.Write([]byte(b))
	return errors.Join(err, w.Close())
}
