package entrypoint

import (
	"errors"
	"io/fs"
	"path"
	"strings"
)

// linkedFiles is what it takes to follow links by hand.
type linkedFiles interface {
	FileReader
	Links
}

// ReadBeneath implements [FileReader.ReadBeneath] with the other methods, for file systems that do not change while it
// runs.
func ReadBeneath(files linkedFiles, dir, name string, limit int64) ([]byte, error) {
	at, err := ResolveBeneath(files, dir, name)
	if err != nil {
		return nil, err
	}
	info, err := files.Lstat(at)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: "open", Path: at, Err: ErrNotRegular}
	case info.Size() > limit:
		return nil, &fs.PathError{Op: "read", Path: at, Err: ErrTooLong}
	default:
		return files.ReadFile(at)
	}
}

// ResolveBeneath follows the links at name in dir, and returns a path that is not a link and need not exist. A link that
// leaves dir is an error. It is for file systems that do not change while it runs.
func ResolveBeneath(files linkedFiles, dir, name string) (string, error) {
	const maxLinks = 40
	dir = path.Clean(dir)
	at := path.Join(dir, name)
	for range maxLinks {
		if !strings.HasPrefix(at, strings.TrimSuffix(dir, "/")+"/") {
			return "", &fs.PathError{Op: "open", Path: path.Join(dir, name), Err: errEscapes}
		}
		info, err := files.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return at, nil
		case err != nil:
			return "", err
		case info.Mode()&fs.ModeSymlink == 0:
			return at, nil
		}
		target, err := files.Readlink(at)
		if err != nil {
			return "", err
		}
		if path.IsAbs(target) {
			return "", &fs.PathError{Op: "open", Path: path.Join(dir, name), Err: errEscapes}
		}
		at = path.Join(path.Dir(at), target)
	}
	return "", &fs.PathError{Op: "open", Path: path.Join(dir, name), Err: errLinks}
}

var (
	errEscapes = errors.New("path escapes from parent") // as package os says it
	errLinks   = errors.New("too many links")
)
