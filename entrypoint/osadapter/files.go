package osadapter

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/plumbline-ci/plumbline/entrypoint"
)

// files is the file system of the operating system.
type files struct{}

var _ entrypoint.Files = files{}

func (files) Stat(path string) (fs.FileInfo, error)        { return os.Stat(path) }
func (files) Lstat(path string) (fs.FileInfo, error)       { return os.Lstat(path) }
func (files) ReadDir(path string) ([]fs.DirEntry, error)   { return os.ReadDir(path) }
func (files) ReadFile(path string) ([]byte, error)         { return os.ReadFile(path) }
func (files) MkdirAll(path string, perm fs.FileMode) error { return os.MkdirAll(path, perm) }
func (files) Symlink(target, link string) error            { return os.Symlink(target, link) }
func (files) Readlink(path string) (string, error)         { return os.Readlink(path) }

func (files) OpenAppend(path string, perm fs.FileMode) (io.WriteCloser, error) {
	dir, name := filepath.Split(path)
	return openBeneath(filepath.Clean(dir), name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, perm)
}

// openBeneath lets the kernel keep the path inside dir, so that no part of it can be exchanged in between. It does not wait
// for the other end of a pipe.
func openBeneath(dir, name string, flag int, perm fs.FileMode) (*os.File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	file, err := root.OpenFile(name, flag|nonBlock, perm)
	if err != nil {
		var in *fs.PathError // in terms of dir, which the caller does not know
		if errors.As(err, &in) {
			err = in.Err
		}
		return nil, &fs.PathError{Op: "open", Path: filepath.Join(dir, name), Err: err}
	}
	return file, nil
}

// ReadBeneath implements [entrypoint.FileReader].
func (files) ReadBeneath(dir, name string, limit int64) ([]byte, error) {
	full := filepath.Join(dir, name)
	file, err := openBeneath(dir, name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: full, Err: entrypoint.ErrNotRegular}
	}
	content, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = &fs.PathError{Op: "read", Path: full, Err: entrypoint.ErrTooLong}
	}
	if err != nil {
		return nil, err
	}
	return content, nil
}

// WriteFile writes over what is there and then cuts the rest off, so that a reader never finds the file empty.
func (files) WriteFile(path string, data []byte, perm fs.FileMode) error {
	created := true
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if errors.Is(err, fs.ErrExist) {
		created = false
		file, err = os.OpenFile(path, os.O_WRONLY|noFollow|nonBlock, 0)
	}
	if err != nil {
		return err
	}
	if created {
		err = file.Chmod(perm) // without the umask
	}
	if err == nil {
		_, err = file.Write(data)
	}
	if info, statErr := file.Stat(); err == nil && statErr == nil && info.Mode().IsRegular() { // not /dev/null
		err = file.Truncate(int64(len(data)))
	}
	return errors.Join(err, file.Close())
}

// WriteFileAtomic writes a neighbour and renames it. It does not sync: the readers of the files are in the same Pod, and no
// Pod goes on after its node has crashed. A new empty file needs no neighbour: its creation is atomic, and works on a disk
// that is full.
func (files) WriteFileAtomic(path string, data []byte, perm fs.FileMode) error {
	if len(data) == 0 {
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
		if err == nil {
			return errors.Join(file.Chmod(perm), file.Close())
		}
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Chmod(perm)
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
