package entrypoint

import (
	"encoding/base64"
	"errors"
	"flag"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// flagNames are all flags.
var flagNames = []string{
	FlagEntrypoint, FlagWaitFile, FlagWaitFileContent, FlagPostFile, FlagTerminationPath, FlagTerminationBudget, FlagResults,
	FlagTimeout, FlagStdoutPath, FlagStderrPath, FlagBreakpointOnFailure, FlagOnError, FlagStepMetadataDir, FlagEnableSpire,
	FlagSpireSocketPath, FlagResultFrom, FlagBasicDocker, FlagBasicGit, FlagSSHGit, FlagDockerConfig, FlagDockerCfg,
}

// parseByPackageFlag reads the same flags by package flag, whose syntax the reference's flags have.
func parseByPackageFlag(args []string) (options, error) {
	opts, _ := parseArguments(nil)
	set := flag.NewFlagSet("", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, name := range flagNames {
		setter, isBool := opts.flag(name)
		if isBool {
			set.BoolFunc(name, "", setter)
		} else {
			set.Func(name, "", setter)
		}
	}
	own, command := splitArguments(args)
	opts.args = command
	err := set.Parse(own)
	opts.positional = set.Args()
	return opts, err
}

// FuzzParseArguments holds the parser against package flag.
func FuzzParseArguments(f *testing.F) {
	for _, line := range []string{
		"-wait_file,/tekton/run/0/out,-post_file,/tekton/run/1/out,-entrypoint,sh,--,-c,true",
		"--on_error=continue,-breakpoint_on_failure,-timeout,1h,x,-y",
		"-wait_file_content=maybe", "---", "-=", "--=x", "-", "--,init,a,b", "-h", "-results,a,-results", "-basic-git=a=b",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsRune(line, 0) {
			return // no argument of a process has one
		}
		args := strings.Split(line, ",")
		got, err := parseArguments(args)
		want, wantErr := parseByPackageFlag(args)
		if errors.Is(err, errHelp) != errors.Is(wantErr, flag.ErrHelp) || (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %v, by package flag %v", args, err, wantErr)
		}
		if err != nil {
			if strings.Contains(err.Error(), "\n") && !strings.Contains(line, "\n") {
				t.Errorf("%q: more than one line: %v", args, err)
			}
			return
		}
		if len(got.positional)+len(want.positional) == 0 {
			got.positional, want.positional = nil, nil
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(options{}, credentialFlag{})); diff != "" {
			t.Errorf("%q\n%s", args, diff)
		}
		if got.postFile != "" && len(got.positional) == 0 && salvagePostFile(args) == "" {
			t.Errorf("%q: the post file %q would not be found", args, got.postFile)
		}
	})
}

func FuzzDecodeScript(f *testing.F) {
	f.Add([]byte("#!/bin/sh\necho hi\n"), []byte("IyEvYmluL3NoCg==\n"))
	f.Fuzz(func(t *testing.T, script, encoded []byte) {
		if decoded, err := decodeBase64(encoded); err == nil && len(decoded) > len(encoded) {
			t.Errorf("%q grew to %q", encoded, decoded)
		}
		text := base64.StdEncoding.EncodeToString(script) + "\n"
		if got, err := decodeBase64([]byte(text)); err != nil || string(got) != string(script) {
			t.Errorf("%q became %q (%v)", script, got, err)
		}
	})
}

// TestSalvagePostFile: EP-33 as decided.
func TestSalvagePostFile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, line, want string }{
		{"behind the error", "-what x -post_file p", "p"},
		{"in any spelling", "-what --post_file=p", "p"},
		{"the last counts", "-post_file p -post_file=q", "q"},
		{"not among the command's arguments", "-what -- -post_file p", ""},
		{"without a value", "-what -post_file", ""},
		{"not at all", "-what", ""},
	} {
		if got := salvagePostFile(strings.Fields(tt.line)); got != tt.want {
			t.Errorf("%s: %q gives %q, want %q", tt.reason, tt.line, got, tt.want)
		}
	}
}

// TestUsage: a person who asks gets an answer, and no step is marked as failed.
func TestUsage(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"-h", "--help"} {
		var stderr strings.Builder
		if code := Main(System{Stderr: &stderr}, []string{flag}); code != 0 || stderr.String() != usage+"\n" {
			t.Errorf("%s: exit code %d, %q", flag, code, stderr.String())
		}
	}
}
