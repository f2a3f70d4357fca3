package entrypoint

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
)

// Names of the subcommands.
const (
	SubcommandInit         = "init"
	SubcommandCopy         = "cp"
	SubcommandStepInit     = "step-init"
	SubcommandDecodeScript = "decode-script"
)

// binaryMode is the mode of the launcher where steps run it from: every user may execute it, none may read it.
const binaryMode fs.FileMode = 0o311

// findSubcommand is the subcommand that the operands name, or nil; with the wrong number of operands they name none (EP-04).
func findSubcommand(positional []string) func(System, []string) int {
	if len(positional) == 0 {
		return nil
	}
	switch name, operands := positional[0], len(positional)-1; {
	case name == SubcommandInit && operands >= 2:
		return subcommand(name, func(sys System, args []string) (string, error) {
			if err := copyBinary(sys, args[0], args[1]); err != nil {
				return "", err
			}
			return "Entrypoint initialization", linkSteps(sys, args[2:])
		})
	case name == SubcommandCopy && operands == 2:
		return subcommand(name, func(sys System, args []string) (string, error) {
			return fmt.Sprintf("Copied %s to %s", args[0], args[1]), copyBinary(sys, args[0], args[1])
		})
	case name == SubcommandStepInit:
		return subcommand(name, func(sys System, args []string) (string, error) {
			return "Setup /step directories", linkSteps(sys, args)
		})
	case name == SubcommandDecodeScript && operands == 1:
		return subcommand(name, func(sys System, args []string) (string, error) {
			return "Decoded script " + args[0], decodeScript(sys, args[0])
		})
	default:
		return nil
	}
}

// subcommand logs what an action did, and makes an exit code of it (EP-04).
func subcommand(name string, action func(System, []string) (string, error)) func(System, []string) int {
	return func(sys System, args []string) int {
		done, err := action(sys, args)
		if err != nil {
			sys.log("%s error: %v", name, err)
			return exitFailure
		}
		sys.log("%s", done)
		return exitOK
	}
}

func copyBinary(sys System, src, dst string) error {
	content, err := sys.Files.ReadFile(src)
	if err != nil {
		return err
	}
	return sys.Files.WriteFileAtomic(dst, content, binaryMode)
}

// linkSteps makes the status of every step reachable by the step's name and by its index. Links of an earlier attempt
// stay.
func linkSteps(sys System, steps []string) error {
	if err := sys.Files.MkdirAll(sys.Paths.Steps, 0o755); err != nil {
		return err
	}
	for i, step := range steps {
		if !plainName(step) {
			return fmt.Errorf("step name %q is not a plain file name", step)
		}
		index := strconv.Itoa(i)
		status := path.Join(sys.Paths.Run, index, "status")
		for _, name := range []string{step, index} {
			if err := ensureLink(sys.Files, status, path.Join(sys.Paths.Steps, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func ensureLink(files Files, target, link string) error {
	err := files.Symlink(target, link)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if existing, readErr := files.Readlink(link); readErr == nil && existing == target {
		return nil
	}
	return err
}

// decodeScript turns a base64 file into the script it stands for. The file keeps its permissions, and its content if
// that is no base64.
func decodeScript(sys System, file string) error {
	encoded, err := sys.Files.ReadFile(file)
	if err != nil {
		return fmt.Errorf("error reading from script file %q: %w", file, err)
	}
	script, err := decodeBase64(encoded)
	if err != nil {
		return fmt.Errorf("error decoding script file %q: %w", file, err)
	}
	if err := sys.Files.WriteFile(file, script, 0o755); err != nil {
		return fmt.Errorf("error writing decoded script file %q: %w", file, err)
	}
	return nil
}

// decodeBase64 decodes standard base64; line ends within and behind it do not count.
func decodeBase64(encoded []byte) ([]byte, error) {
	script := make([]byte, base64.StdEncoding.DecodedLen(len(encoded)))
	n, err := base64.StdEncoding.Decode(script, encoded)
	return script[:n], err
}
