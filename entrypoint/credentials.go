package entrypoint

import (
	"errors"
	"io/fs"
	"path"
)

// credentials are the secrets named by the credential flags, read and ready to be written (§5.8).
type credentials struct {
	docker dockerConfig
	git    gitCredentials
	ssh    sshConfig
}

// readCredentials reads the secrets. A secret that is missing or malformed is an error of the arguments (EP-60).
func readCredentials(sys System, opts options) (credentials, error) {
	var c credentials
	for _, flag := range opts.credentials {
		var err error
		switch flag.name {
		case FlagDockerCfg:
			err = c.docker.addCfg(sys, flag.value)
		case FlagDockerConfig:
			err = c.docker.addConfig(sys, flag.value)
		case FlagBasicDocker:
			err = c.docker.addBasic(sys, flag.value)
		case FlagBasicGit:
			err = c.git.add(sys, flag.value)
		case FlagSSHGit:
			err = c.ssh.add(sys, flag.value)
		}
		if err != nil {
			return credentials{}, &flagError{flag, err}
		}
	}
	return c, nil
}

// flagError says which credential flag cannot be used.
type flagError struct {
	flag credentialFlag
	err  error
}

func (e *flagError) Error() string {
	return "invalid value \"" + e.flag.value + "\" for flag -" + e.flag.name + ": " + e.err.Error()
}

func (e *flagError) Unwrap() error { return e.err }

// write puts the credential files into the credentials directory.
func (c credentials) write(sys System) error {
	return errors.Join(c.docker.write(sys), c.git.write(sys), c.ssh.write(sys))
}

// Modes of credential files and their directories.
const (
	credentialFileMode fs.FileMode = 0o600
	credentialDirMode  fs.FileMode = 0o700
)

// writeCredential writes one file below the credentials directory.
func writeCredential(sys System, name string, content []byte) error {
	file := path.Join(sys.Paths.Creds, name)
	if err := sys.Files.MkdirAll(path.Dir(file), credentialDirMode); err != nil {
		return err
	}
	return sys.Files.WriteFileAtomic(file, content, credentialFileMode)
}

// Names of the credential files, below the credentials directory and below the home directory.
const (
	dockerDir          = ".docker"
	gitConfigFile      = ".gitconfig"
	gitCredentialsFile = ".git-credentials"
	sshDir             = ".ssh"
)

// copyCredentials copies the credential files to the home directory of the user (EP-61). Problems are only logged.
func copyCredentials(sys System) {
	from, to := sys.Paths.Creds, sys.Paths.Home
	if _, err := sys.Files.Stat(from); err != nil || path.Clean(from) == path.Clean(to) {
		return
	}
	for _, name := range []string{dockerDir, gitConfigFile, gitCredentialsFile, sshDir} {
		source := path.Join(from, name)
		if _, err := sys.Files.Lstat(source); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if to == "" {
			sys.log("non-fatal error copying credentials: %q", "the user has no home directory")
			return
		}
		if err := copyTree(sys.Files, source, path.Join(to, name)); err != nil {
			sys.log("warning: unsuccessful cred copy: %q from %q to %q: %v", name, from, to, err)
		}
	}
}

// copyTree copies a file, or a directory with all that is in it. It leaves out links and whatever else is not a file.
func copyTree(files Files, from, to string) error {
	info, err := files.Lstat(from)
	switch {
	case err != nil:
		return err
	case info.Mode().IsRegular():
		content, err := files.ReadFile(from)
		if err != nil {
			return err
		}
		return files.WriteFileAtomic(to, content, credentialFileMode)
	case !info.IsDir():
		return nil
	}
	if err := files.MkdirAll(to, credentialDirMode); err != nil {
		return err
	}
	entries, err := files.ReadDir(from)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := copyTree(files, path.Join(from, entry.Name()), path.Join(to, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}
