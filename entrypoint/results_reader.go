package entrypoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"
)

// Flags of [SidecarLogResults], given as those of the launcher.
const (
	FlagResultsDir  = "results-dir"
	FlagResultNames = "result-names"
)

// maxPrinted is the longest result, in bytes, that is printed: no installation may allow more (max-result-size, §9.2).
const maxPrinted = 1572864

// printedResult is a line of the log.
type printedResult struct {
	Name, Value string
}

// SidecarLogResults is the sidecar that prints the results of the steps to its log, a line of JSON each (SC-32). It waits
// until all steps have posted, or one has failed, after which the others do nothing.
func SidecarLogResults(sys System, args []string) int {
	sys = sys.withDefaults()
	dir, names, err := parseResultsReader(args, sys.Paths.Results)
	if err == nil {
		err = sys.awaitSteps()
	}
	var interrupted *Interrupted
	if errors.As(err, &interrupted) {
		return exitSignalBase + int(interrupted.Signal)
	}
	if err == nil {
		err = sys.printResults(dir, names)
	}
	if err != nil {
		sys.log("%v", err)
		return exitFailure
	}
	return exitOK
}

func parseResultsReader(args []string, dir string) (resultsDir string, names []string, err error) {
	for len(args) > 0 {
		name, value, hasValue, ok := splitFlag(args[0])
		args = args[1:]
		if !hasValue {
			if !ok || len(args) == 0 {
				return "", nil, fmt.Errorf("flag needs an argument: -%s", name)
			}
			value, args = args[0], args[1:]
		}
		switch name {
		case FlagResultsDir:
			dir = value
		case FlagResultNames:
			names = list(value)
		default:
			return "", nil, fmt.Errorf("flag provided but not defined: -%s", name)
		}
	}
	if len(names) == 0 {
		return "", nil, errors.New("result-names were not provided")
	}
	return dir, names, nil
}

// awaitSteps waits for the post files of all steps. How many there are is seen from their directories, which are mounts
// and there from the beginning.
func (s System) awaitSteps() error {
	steps, err := s.Files.ReadDir(s.Paths.Run)
	if err != nil {
		return err
	}
	var posts, failures []string
	for _, step := range steps {
		post := path.Join(s.Paths.Run, step.Name(), "out")
		posts, failures = append(posts, post), append(failures, post+failedSuffix)
	}
	sub, err := s.Watcher.Watch(append(failures, posts...)...)
	if err != nil {
		return fmt.Errorf("waiting for the steps: %w", err)
	}
	defer func() { _ = sub.Close() }()
	for {
		over, err := s.stepsOver(posts, failures)
		if over || err != nil {
			return err
		}
		if err := sub.Wait(time.Time{}); err != nil {
			return fmt.Errorf("waiting for the steps: %w", err)
		}
	}
}

func (s System) stepsOver(posts, failures []string) (bool, error) {
	exists := func(file string) (bool, error) {
		_, err := s.Files.Stat(file)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return err == nil, err
	}
	for _, file := range failures {
		if failed, err := exists(file); failed || err != nil {
			return failed, err
		}
	}
	for _, file := range posts {
		if posted, err := exists(file); !posted || err != nil {
			return false, err
		}
	}
	return true, nil
}

// printResults prints the results that exist, in the order of the names.
func (s System) printResults(dir string, names []string) error {
	for _, name := range names {
		value, err := s.Files.ReadBeneath(dir, name, maxPrinted)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("result %q: %w", name, err)
		}
		line, err := json.Marshal(printedResult{name, string(value)})
		if err != nil {
			return fmt.Errorf("result %q: %w", name, err)
		}
		if _, err := s.Stdout.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}
