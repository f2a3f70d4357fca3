package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"

	"github.com/plumbline-ci/plumbline/reconciler/resolution/outbound"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

// Repositories has repositories, by URL.
type Repositories interface {
	Open(ctx context.Context, url string) (Repository, error)
}

// Repository is one that has been found. Its errors are what the resolver says.
type Repository interface {
	// Commit is the commit that a revision names: a branch, a tag, a commit or the beginning of one, or a full reference.
	Commit(ctx context.Context, revision string) (plumbing.Hash, error)
	// File is the content of a file at a commit.
	File(ctx context.Context, commit plumbing.Hash, name string) ([]byte, error)
}

// errRevision says that a revision names no commit.
func errRevision(err error) error { return fmt.Errorf("revision error: %w", err) }

// names are the references that a revision may be, in the order in which git tries them. No reference has two dots in a
// row, which would lead elsewhere on a disk.
func names(revision string) []plumbing.ReferenceName {
	if strings.Contains(revision, "..") {
		return nil
	}
	var out []plumbing.ReferenceName
	for _, rule := range plumbing.RefRevParseRules {
		out = append(out, plumbing.ReferenceName(fmt.Sprintf(rule, revision)))
	}
	return out
}

// abbreviated reports whether a revision may be the beginning of a commit's name.
func abbreviated(revision string) bool {
	return len(revision) >= 4 && len(revision) < 40 && strings.Trim(revision, "0123456789abcdef") == ""
}

// Stored is a repository whose objects are at hand.
type Stored struct{ Store storer.Storer }

var _ Repository = Stored{}

// Commit implements Repository.
func (s Stored) Commit(_ context.Context, revision string) (plumbing.Hash, error) {
	if plumbing.IsHash(revision) {
		return peel(s.Store, plumbing.NewHash(revision))
	}
	for _, name := range names(revision) {
		ref, err := storer.ResolveReference(s.Store, name)
		if err == nil {
			return peel(s.Store, ref.Hash())
		}
	}
	if abbreviated(revision) {
		return completed(s.Store, revision)
	}
	return plumbing.ZeroHash, errRevision(plumbing.ErrReferenceNotFound)
}

// peel is the commit that a tag leads to, which may be one of a tag.
func peel(s storer.EncodedObjectStorer, at plumbing.Hash) (plumbing.Hash, error) {
	const depth = 10
	for range depth {
		if _, err := object.GetCommit(s, at); err == nil {
			return at, nil
		}
		tag, err := object.GetTag(s, at)
		if err != nil {
			return plumbing.ZeroHash, errRevision(err)
		}
		at = tag.Target
	}
	return plumbing.ZeroHash, errRevision(errors.New("a tag of a tag of a tag"))
}

// completed is the one commit whose name begins so.
func completed(s storer.EncodedObjectStorer, prefix string) (plumbing.Hash, error) {
	all, err := s.IterEncodedObjects(plumbing.CommitObject)
	if err != nil {
		return plumbing.ZeroHash, errRevision(err)
	}
	var out []plumbing.Hash
	err = all.ForEach(func(o plumbing.EncodedObject) error {
		if strings.HasPrefix(o.Hash().String(), prefix) {
			out = append(out, o.Hash())
		}
		return nil
	})
	switch {
	case err != nil:
		return plumbing.ZeroHash, errRevision(err)
	case len(out) == 0:
		return plumbing.ZeroHash, errRevision(plumbing.ErrReferenceNotFound)
	case len(out) > 1:
		return plumbing.ZeroHash, errRevision(fmt.Errorf("%d commits begin with %s", len(out), prefix))
	}
	return out[0], nil
}

// File implements Repository.
func (s Stored) File(_ context.Context, commit plumbing.Hash, name string) ([]byte, error) {
	c, err := object.GetCommit(s.Store, commit)
	if err != nil {
		return nil, errRevision(err)
	}
	tree, err := c.Tree()
	if err != nil {
		return nil, fmt.Errorf("checkout error: %w", err)
	}
	blob, err := follow(s.Store, tree, name)
	if err != nil {
		return nil, fmt.Errorf("error opening file %q: %w", name, err)
	}
	data, err := content(blob)
	if err != nil {
		return nil, fmt.Errorf("error reading file %q: %w", name, err)
	}
	return data, nil
}

func content(b *object.Blob) ([]byte, error) {
	if b.Size > resolver.MaxData {
		return nil, fmt.Errorf("it has %d bytes, where %d are allowed", b.Size, resolver.MaxData)
	}
	r, err := b.Reader()
	if err != nil {
		return nil, err
	}
	data, err := outbound.ReadAll(r, resolver.MaxData)
	return data, errors.Join(err, r.Close())
}

var (
	errNoFile  = errors.New("file does not exist")
	errOutside = errors.New("the path leads out of the repository")
)

// follow walks from the root of a tree to a file, also through symbolic links, and never above the root.
func follow(s storer.EncodedObjectStorer, root *object.Tree, name string) (*object.Blob, error) {
	const maxLinks = 10
	todo := strings.Split(name, "/")
	var done []string
	at := []*object.Tree{root}
	for links := 0; len(todo) > 0; {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if len(done) == 0 {
				return nil, errOutside
			}
			done, at = done[:len(done)-1], at[:len(at)-1]
			continue
		}
		here := at[len(at)-1]
		i := slices.IndexFunc(here.Entries, func(e object.TreeEntry) bool { return e.Name == part })
		if i < 0 {
			return nil, errNoFile
		}
		switch e := here.Entries[i]; e.Mode {
		case filemode.Dir:
			below, err := object.GetTree(s, e.Hash)
			if err != nil {
				return nil, err
			}
			done, at = append(done, part), append(at, below)
		case filemode.Symlink:
			if links++; links > maxLinks {
				return nil, errors.New("too many levels of symbolic links")
			}
			to, err := target(s, e.Hash)
			if err != nil {
				return nil, err
			}
			todo = append(strings.Split(to, "/"), todo...)
		case filemode.Regular, filemode.Executable, filemode.Deprecated:
			if len(todo) > 0 {
				return nil, errNoFile
			}
			return object.GetBlob(s, e.Hash)
		default: // the commit of a submodule, which is in another repository
			return nil, errNoFile
		}
	}
	return nil, errors.New("it is a folder")
}

// target is where a symbolic link leads to.
func target(s storer.EncodedObjectStorer, at plumbing.Hash) (string, error) {
	blob, err := object.GetBlob(s, at)
	if err != nil {
		return "", err
	}
	const longest = 4096
	if blob.Size > longest {
		return "", errors.New("the target of a symbolic link is too long")
	}
	r, err := blob.Reader()
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return "", err
	}
	if path.IsAbs(string(data)) {
		return "", errOutside
	}
	return string(data), nil
}
