package text

import (
	"bytes"
	"encoding/base64"
	"io"
	"math"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Base64Tool is the utility base64.
func Base64Tool(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	opts, names, ok := t.Options(args, "dw:i", false, nil)
	if !ok || t.Misused(names, 0, 1) {
		return t.End()
	}
	width, ok := t.Within(opts, 'w', 76, 0, math.MaxInt32)
	if !ok {
		return t.End()
	}
	decodes := kit.Has(opts, 'd') || kit.Has(opts, 'D')
	t.InputsOf(names, "", func(_ string, r io.Reader) bool {
		if decodes && !t.GNU {
			r = kit.Unchecked(r)
		}
		data, _ := t.ReadAll(r)
		if decodes {
			decode64(t, data)
			return true
		}
		text := base64.StdEncoding.EncodeToString(data)
		for width > 0 && len(text) > width {
			t.Out.WriteString(text[:width] + "\n")
			text = text[width:]
		}
		t.Out.WriteString(text)
		if width > 0 && text != "" {
			t.Out.WriteByte('\n')
		}
		return true
	})
	return t.End()
}

// decode64 decodes base64. Other characters are left out; it ends behind the first group with padding.
func decode64(t *kit.Tool, data []byte) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
	var group []byte
	end := false
	for i, c := range data {
		switch {
		case strings.IndexByte(alphabet, c) < 0:
			if t.GNU && c != '\n' && c != '\r' {
				t.Complain("invalid input")
				return
			}
			continue
		case end && t.GNU:
			t.Complain("invalid input")
			return
		}
		if group = append(group, c); len(group) < 4 {
			continue
		}
		out, err := base64.StdEncoding.DecodeString(string(group))
		if err != nil {
			break
		}
		t.Out.Write(out)
		group = group[:0]
		if end = c == '='; end && !t.GNU {
			if rest := bytes.TrimLeft(data[i+1:], "\n\r \t"); len(rest) > 0 {
				t.Complain("truncated input")
			}
			return
		}
	}
	if len(group) > 0 {
		if t.GNU {
			t.Complain("invalid input")
		} else {
			t.Complain("truncated input")
		}
	}
}
