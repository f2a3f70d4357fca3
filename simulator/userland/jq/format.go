package jq

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// formats are the names behind "@".
var formats = map[string]bool{"text": true, "json": true, "html": true, "uri": true, "csv": true, "tsv": true, "sh": true, "base64": true, "base64d": true}

func anyOf(s string, err error) (any, error) { return s, err }

// tostring is a value as text: strings are their own.
func (m *Machine) tostring(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return m.text(v)
}

var (
	htmlEscapes = strings.NewReplacer("<", "&lt;", ">", "&gt;", "&", "&amp;", "'", "&apos;", `"`, "&quot;")
	tsvEscapes  = strings.NewReplacer("\t", `\t`, "\n", `\n`, "\r", `\r`, `\`, `\\`)
)

// format writes a value in one of the formats.
func (m *Machine) format(name string, v any) (string, error) {
	text := func() string {
		s := m.tostring(v)
		m.reserve(int64(6 * len(s)))
		m.work(len(s) / 64)
		return s
	}
	switch name {
	case "text":
		return m.tostring(v), nil
	case "json":
		return m.text(v), nil
	case "html":
		return htmlEscapes.Replace(text()), nil
	case "uri":
		return uri(text()), nil
	case "base64":
		return base64.StdEncoding.EncodeToString([]byte(text())), nil
	case "base64d":
		return m.base64d(text())
	}
	if !formats[name] {
		return "", failure("%s is not a valid format", name)
	}
	return m.row(name, v)
}

func uri(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func (m *Machine) base64d(s string) (string, error) {
	kept := strings.TrimRight(s, "=")
	bad := func(why string) error {
		return failure("string (%s) %s", m.brief(s, 15), why)
	}
	if len(kept)%4 == 1 {
		return "", bad("trailing base64 byte found")
	}
	out, err := base64.RawStdEncoding.DecodeString(kept)
	if err != nil {
		return "", bad("is not valid base64 data")
	}
	return Valid(string(out)), nil
}

// shellEscapes are what @sh replaces: a NUL as well, which no shell can have.
var shellEscapes = strings.NewReplacer("'", `'\''`, "\x00", `\0`)

// row writes an array as csv or tsv, or anything for a shell.
func (m *Machine) row(name string, v any) (string, error) {
	a, ok := v.(*Array)
	if !ok && name != "sh" {
		return "", failure("%s (%s) cannot be %s-formatted, only array", kind(v), m.brief(v, 15), name)
	}
	if !ok {
		m.reserve(arraySize)
		a = newArray([]any{v})
	}
	var b strings.Builder
	for i, x := range a.items {
		m.work(1)
		if i > 0 {
			b.WriteString(map[string]string{"csv": ",", "tsv": "\t", "sh": " "}[name])
		}
		part := ""
		switch x := x.(type) {
		case nil:
			if name == "sh" {
				part = "null"
			}
		case string:
			m.reserve(int64(4 * len(x)))
			switch name {
			case "csv":
				part = `"` + strings.ReplaceAll(x, `"`, `""`) + `"`
			case "tsv":
				part = tsvEscapes.Replace(x)
			default:
				part = "'" + shellEscapes.Replace(x) + "'"
			}
		case *Array, *Object:
			if name == "sh" {
				return "", failure("%s (%s) can not be escaped for shell", kind(x), m.brief(x, 15))
			}
			return "", failure("%s (%s) is not valid in a csv row", kind(x), m.brief(x, 15))
		default:
			part = m.text(x)
		}
		b.WriteString(part)
	}
	return b.String(), nil
}
