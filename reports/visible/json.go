package visible

import (
	"bytes"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON returns a JSON document of the same meaning in which what is hidden, and what gives orders to the runner of a CI
// job, is escaped as JSON escapes characters. Such characters stand in strings only, so the document need not be parsed.
func JSON(document []byte) []byte {
	return escaped(document, func(out *bytes.Buffer, c rune) {
		for _, unit := range utf16.Encode([]rune{c}) {
			fmt.Fprintf(out, `\u%04x`, unit)
		}
	})
}

// YAML is JSON for a YAML document in which all scalars that are not Plain are double-quoted.
func YAML(document []byte) []byte {
	return escaped(document, func(out *bytes.Buffer, c rune) {
		if c < 0x10000 {
			fmt.Fprintf(out, `\u%04x`, c)
			return
		}
		fmt.Fprintf(out, `\U%08x`, c)
	})
}

func escaped(document []byte, escape func(*bytes.Buffer, rune)) []byte {
	var (
		w   watch
		out bytes.Buffer
	)
	for len(document) > 0 {
		c, n := utf8.DecodeRune(document)
		if order := w.next(c); order == '[' || c >= 0x7f && hidden(c) {
			escape(&out, c)
		} else {
			out.Write(document[:n])
		}
		document = document[n:]
	}
	return out.Bytes()
}

// Plain reports whether a text can be printed as it is: nothing in it is hidden, and no line of it gives orders.
func Plain(s string) bool {
	return Text(s) == s && string(Commands([]byte(s))) == s
}
