package text

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/formatting"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Seq is the utility seq.
func Seq(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	if t.GNU {
		return seqGNU(t, args)
	}
	opts, rest, ok := t.Options(args, "ws:", true, nil)
	if !ok || t.Misused(rest, 1, 3) {
		return t.End()
	}
	numbers := make([]float64, len(rest))
	width, digits := 0, 0
	for i, text := range rest {
		if numbers[i], ok = float(text); !ok {
			return t.Usage()
		}
		dot := strings.IndexByte(text+".", '.')
		width = max(width, dot)
		if i < len(rest)-1 { // the digits of the last number do not count
			digits = max(digits, len(text)-dot-1)
		}
	}
	if digits > 0 {
		width += digits + 1
	}
	if !kit.Has(opts, 'w') {
		width = 0
	}
	separator := "\n"
	if kit.Has(opts, 's') {
		separator = kit.Last(opts, 's')
	}
	first, step, end := 1.0, 1.0, numbers[len(numbers)-1]
	if len(numbers) > 1 {
		first = numbers[0]
	}
	if len(numbers) > 2 {
		step = numbers[1]
	}
	for i := 0; ; i++ {
		p.Work(perNumber)
		n := first + float64(i)*step
		if more := step >= 0 && n <= end || step < 0 && n >= end; !more {
			if i > 0 {
				t.Out.WriteByte('\n')
			}
			return t.End()
		}
		if i > 0 {
			t.Out.WriteString(separator)
		}
		if err := putNumber(t, n, width, digits); err != nil {
			return t.End()
		}
	}
}

// float reads a number as C's strtod does: with white space before it, also in hexadecimal.
func float(text string) (float64, bool) {
	trimmed := strings.TrimLeft(text, " \t\n\v\f\r")
	if strings.Contains(trimmed, "_") {
		return 0, false
	}
	n, err := strconv.ParseFloat(trimmed, 64)
	if err == nil {
		return n, true
	}
	if hex := strings.ToLower(strings.TrimLeft(trimmed, "+-")); strings.HasPrefix(hex, "0x") && !strings.Contains(hex, "p") {
		n, err = strconv.ParseFloat(trimmed+"p0", 64)
		return n, err == nil
	}
	return n, false
}

// seqGNU is the seq of GNU, which takes numbers that are negative for what they are.
func seqGNU(t *kit.Tool, args []string) int {
	separator, pad, format := "\n", false, ""
	rest := args[1:]
	for len(rest) > 1 && len(rest[0]) > 1 && rest[0][0] == '-' && !kit.Digit(rest[0][1]) && rest[0][1] != '.' {
		switch {
		case rest[0] == "-w":
			pad = true
			rest = rest[1:]
		case rest[0] == "-s":
			separator = rest[1]
			rest = rest[2:]
		case rest[0] == "-f":
			format = rest[1]
			rest = rest[2:]
		case strings.HasPrefix(rest[0], "-s"):
			separator = rest[0][2:]
			rest = rest[1:]
		default:
			return t.Fail("invalid option -- '%s'", rest[0][1:])
		}
	}
	if t.Misused(rest, 1, 3) {
		return t.End()
	}
	nums := make([]float64, len(rest))
	decimals := 0
	for i, text := range rest {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return t.Fail("invalid number '%s'", text)
		}
		nums[i] = n
		if _, frac, ok := strings.Cut(text, "."); ok && (i < 2 || len(rest) < 3) {
			decimals = max(decimals, len(frac))
		}
	}
	first, step, end := 1.0, 1.0, nums[len(nums)-1]
	if len(nums) > 1 {
		first = nums[0]
	}
	if len(nums) > 2 {
		step = nums[1]
	}
	if step == 0 {
		return t.Fail("increment is zero")
	}
	width := 0
	if pad {
		for _, text := range rest {
			width = max(width, len(text))
		}
	}
	for i := 0; ; i++ {
		t.P.Work(perNumber)
		n := first + float64(i)*step
		if step > 0 && n > end+1e-9 || step < 0 && n < end-1e-9 {
			if i > 0 {
				t.Out.WriteByte('\n')
			}
			return t.End()
		}
		if i > 0 {
			t.Out.WriteString(separator)
		}
		if format != "" {
			f := formatting.Formatter{Process: t.P, Style: formatting.PrintfOfGNU, Complain: func(string) {}}
			text, _ := f.Format(format, []string{strconv.FormatFloat(n, 'f', decimals, 64)})
			t.Out.Write(text)
			f.Release()
		} else {
			_ = putNumber(t, n, width, decimals) // a failed write is met again at the end
		}
	}
}

// perNumber is how many commands a number counts as.
const perNumber = 2

// putNumber prints a number, filled with zeros to a width.
func putNumber(t *kit.Tool, n float64, width, digits int) error {
	if whole := int64(n); width == 0 && digits == 0 && float64(whole) == n && (n != 0 || !math.Signbit(n)) {
		_, err := t.Out.WriteString(strconv.FormatInt(whole, 10))
		return err
	}
	_, err := fmt.Fprintf(t.Out, "%0*.*f", width, digits, n)
	return err
}
