package text

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"io"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

func newHash(name string) hash.Hash {
	switch name {
	case "md5sum":
		return md5.New()
	case "sha1sum":
		return sha1.New()
	case "sha512sum":
		return sha512.New()
	}
	return sha256.New()
}

// Checksum is the utilities md5sum, sha1sum, sha256sum and sha512sum.
func Checksum(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "cswbt", false, nil)
	if !ok {
		return t.End()
	}
	if !kit.Has(opts, 'c') && (kit.Has(opts, 's') || kit.Has(opts, 'w')) && !t.GNU {
		return t.Usage()
	}
	sum := func(r io.Reader) (text string, err error) {
		h := newHash(t.Name)
		_, err = io.Copy(h, r)
		return hex.EncodeToString(h.Sum(nil)), err
	}
	if !kit.Has(opts, 'c') {
		t.Inputs(names, func(name string, r io.Reader) bool {
			if text, err := sum(r); err == nil {
				t.Out.WriteString(text + "  " + name + "\n")
			}
			return true
		})
		return t.End()
	}
	c := sumCheck{t: t, sum: sum, silent: kit.Has(opts, 's'), quiet: kit.Has(opts, 'q'), warn: kit.Has(opts, 'w')}
	t.InputsOf(names, "", c.file)
	return t.End()
}

// sumCheck is a check of files against a list of checksums.
type sumCheck struct {
	t                   *kit.Tool
	sum                 func(r io.Reader) (string, error)
	silent, quiet, warn bool
}

// file checks the files of a list.
func (c *sumCheck) file(list string, r io.Reader) bool {
	bad, total := 0, 0
	_ = c.t.Lines(kit.Unchecked(r), func(line string, _ bool) bool {
		total++
		want, name, ok := strings.Cut(line, "  ")
		if !ok {
			want, name, ok = strings.Cut(line, " *")
		}
		if !ok {
			bad++
			if c.warn {
				c.t.Complain("invalid format")
			}
			return true
		}
		verdict := "OK"
		if have, ok := c.of(name); !ok || !strings.EqualFold(have, want) {
			verdict = "FAILED"
			bad++
		}
		if !c.silent && !(c.quiet && verdict == "OK") {
			c.t.Out.WriteString(name + ": " + verdict + "\n")
		}
		return true
	})
	switch {
	case bad > 0 && !c.silent:
		c.t.Complain("WARNING: %d of %d computed checksums did NOT match", bad, total)
	case bad > 0:
		c.t.Status = 1
	case total == 0:
		c.t.Complain("%s: no checksum lines found", list)
	}
	return true
}

// of returns the checksum of a file.
func (c *sumCheck) of(name string) (sum string, ok bool) {
	r, done, err := c.t.Open(name)
	if err != nil {
		c.t.Complain("can't open '%s': %s", name, kit.Message(err))
		return "", false
	}
	defer done()
	sum, err = c.sum(r)
	return sum, err == nil
}
