package entrypoint

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// stream is an output of the command that is also kept in a file (EP-46).
type stream struct {
	path string // empty: not kept, the command writes to the container's log itself
	file io.WriteCloser
	log  io.Writer
	err  error // the first failure to keep the output
}

var errStreamWindows = errors.New("step.StdoutPath and step.StderrPath not supported on Windows")

func (l *launcher) openStream(file string, log io.Writer) (*stream, error) {
	if file == "" {
		return &stream{}, nil
	}
	if strings.HasPrefix(l.sys.Platform, "windows/") {
		return nil, errStreamWindows
	}
	if err := l.sys.Files.MkdirAll(path.Dir(file), 0o777); err != nil {
		return nil, err
	}
	f, err := l.sys.Files.OpenAppend(file, 0o644)
	if err != nil {
		return nil, err
	}
	return &stream{path: file, file: f, log: log}, nil
}

// writer is where the command writes to; nil for the launcher's own stream.
func (s *stream) writer() io.Writer {
	if s.path == "" {
		return nil
	}
	return s
}

// Write copies output to the file and to the log. A file that cannot take it (a full disk) does not stop the command
// or its log; close reports it.
func (s *stream) Write(p []byte) (int, error) {
	if s.err == nil {
		_, s.err = s.file.Write(p)
	}
	return s.log.Write(p)
}

// close reports whether the file has got everything.
func (s *stream) close() error {
	if s.path == "" {
		return nil
	}
	if err := errors.Join(s.err, s.file.Close()); err != nil {
		return fmt.Errorf("writing output to %q: %w", s.path, err)
	}
	return nil
}
