package formatting

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// blanks are what may stand before a number.
const blanks = " \t\n\v\f\r"

// The precisions of the numbers with a fraction: those of C's double and, in bash, of its long double.
const (
	doubleBits     = 53
	longDoubleBits = 64
	// mostExponent is the largest exponent of a long double.
	mostExponent = 16384
)

// quotedCharacter returns the code of the character behind a quote.
func quotedCharacter(text string) (code int64, ok bool) {
	if text == "" || text[0] != '\'' && text[0] != '"' {
		return 0, false
	}
	if len(text) == 1 {
		return 0, true
	}
	return int64(text[1]), true
}

// begun returns a number from where it is looked at on: BusyBox leaves out blanks before a whole number, also in its complaint.
func (f *Formatter) begun(text string) string {
	if f.Style == PrintfOfBusybox {
		return strings.TrimLeft(text, blanks)
	}
	return text
}

// integer reads a number with a sign.
func (f *Formatter) integer(text string) int64 {
	text = f.begun(text)
	if code, ok := quotedCharacter(text); ok {
		return code
	}
	n, negative, over := f.whole(text, math.MaxInt64)
	switch {
	case over && f.Style == PrintfOfBusybox:
		return 0
	case over && negative:
		return math.MinInt64
	case negative:
		return -int64(n)
	}
	return int64(n)
}

// natural reads a number without a sign. One with a minus counts from the largest down.
func (f *Formatter) natural(text string) uint64 {
	text = f.begun(text)
	if code, ok := quotedCharacter(text); ok {
		return uint64(code)
	}
	n, negative, over := f.whole(text, math.MaxUint64)
	if negative && !over {
		return -n
	}
	return n
}

// whole reads digits as C does: decimal, 0 octal, 0x hexadecimal. A number beyond most is over, and most is in place of
// it. What is wrong is complained about.
func (f *Formatter) whole(text string, most uint64) (n uint64, negative, over bool) {
	if text == "" {
		if f.Style == PrintfOfBusybox {
			f.invalid(text, true)
		}
		return 0, false, false
	}
	rest := strings.TrimLeft(text, blanks)
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		negative = rest[0] == '-'
		rest = rest[1:]
		if f.Style == PrintfOfBusybox && !negative && strings.HasPrefix(rest, "-") { // which skips a plus
			negative, rest = true, rest[1:]
		}
	}
	base := uint64(10)
	switch {
	case len(rest) > 2 && rest[0] == '0' && rest[1]|0x20 == 'x' && hexDigit(rest[2]) < 16:
		base, rest = 16, rest[2:]
	case len(rest) > 1 && rest[0] == '0':
		base = 8
	}
	used := 0
	for used < len(rest) {
		v := hexDigit(rest[used])
		if v >= base {
			break
		}
		over = over || n > (math.MaxUint64-v)/base
		n = n*base + v
		used++
	}
	limit := most
	if negative && most == math.MaxInt64 {
		limit++
	}
	if over = over || n > limit; over {
		n = most
	}
	switch {
	case used < len(rest) || used == 0:
		f.invalid(text, used == 0)
		if f.Style == PrintfOfBusybox {
			return 0, false, false
		}
	case over && f.Style == PrintfOfBusybox:
		f.invalid(text, false)
		n = 0
	case over:
		f.outOfRange(text)
	}
	return n, negative, over
}

// hexDigit returns the value of a digit, or a value that no digit has.
func hexDigit(c byte) uint64 {
	switch {
	case c >= '0' && c <= '9':
		return uint64(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return uint64(c|0x20-'a') + 10
	}
	return 16
}

// invalid complains about an argument that is not a number, or only begins with one.
func (f *Formatter) invalid(text string, nothing bool) {
	switch {
	case f.Style == PrintfOfBusybox:
		f.bad("invalid number '" + text + "'")
	case f.Style == PrintfOfBash:
		f.bad(text + ": invalid number")
	case f.Style == PrintfOfGNU && nothing:
		f.bad("'" + text + "': expected a numeric value")
	case f.Style == PrintfOfGNU:
		f.bad("'" + text + "': value not completely converted")
	case nothing:
		f.bad(text + ": expected numeric value")
	default:
		f.bad(text + ": not completely converted")
	}
}

// outOfRange complains about a number that does not fit. Bash does not fail for it.
func (f *Formatter) outOfRange(text string) {
	const reason = ": Numerical result out of range"
	switch f.Style {
	case PrintfOfBash:
		f.Complain("warning: " + text + reason)
	case PrintfOfGNU:
		f.bad("'" + text + "'" + reason)
	default:
		f.bad(text + reason)
	}
}

// decimal reads a number with a fraction. It is none if the argument says nan.
func (f *Formatter) decimal(text string) (n *big.Float, isNumber bool) {
	bits := uint(doubleBits)
	if f.Style == PrintfOfBash {
		bits = longDoubleBits
	}
	n = new(big.Float).SetPrec(bits)
	if code, ok := quotedCharacter(text); ok {
		return n.SetInt64(code), true
	}
	if text == "" {
		return n, true
	}
	rest := strings.TrimLeft(text, blanks)
	length := decimalLength(rest)
	if length < len(rest) || length == 0 {
		f.invalid(text, length == 0)
		if length == 0 || f.Style == PrintfOfBusybox {
			return n, true
		}
	}
	rest = strings.ToLower(rest[:length])
	if strings.Contains(rest, "nan") {
		return n, false
	}
	if strings.Contains(rest, "inf") {
		return n.SetInf(rest[0] == '-'), true
	}
	if strings.Contains(rest, "x") {
		if !strings.Contains(rest, "p") {
			rest += "p0"
		}
	} else if digits := strings.TrimLeft(rest, "+-0"); digits != "" && digits[0] >= '0' && digits[0] <= '9' {
		rest = rest[:len(rest)-len(strings.TrimLeft(rest, "+-"))] + digits // a zero before them makes no octal number
	}
	if bits == doubleBits {
		v, err := strconv.ParseFloat(rest, 64)
		if err != nil || v == 0 && strings.ContainsAny(mantissa(rest), "123456789abcdef") {
			f.doesNotFit(text)
		}
		if math.IsInf(v, 0) {
			return n.SetInf(v < 0), true
		}
		return n.SetFloat64(v), true
	}
	base := 10
	if strings.Contains(rest, "x") {
		base = 0
	}
	if _, _, err := n.Parse(rest, base); err != nil || n.IsInf() || n.MantExp(nil) > mostExponent {
		f.doesNotFit(text)
		n.SetInf(rest[0] == '-')
	}
	return n, true
}

// doesNotFit complains about a number with a fraction that is too large or too small.
func (f *Formatter) doesNotFit(text string) {
	if f.Style == PrintfOfBusybox {
		f.invalid(text, false)
		return
	}
	f.outOfRange(text)
}

// mantissa is a number without its exponent.
func mantissa(text string) string {
	end := "e"
	if strings.Contains(text, "x") {
		end = "p"
	}
	before, _, _ := strings.Cut(text, end)
	return strings.ReplaceAll(before, "0x", "")
}

// decimalLength returns how much of a text is a number for C's strtod.
func decimalLength(text string) int {
	i := 0
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		i++
	}
	rest := strings.ToLower(text[i:min(len(text), i+8)])
	for _, word := range []string{"infinity", "inf", "nan"} {
		if strings.HasPrefix(rest, word) {
			return i + len(word)
		}
	}
	base, exponent := uint64(10), byte('e')
	if strings.HasPrefix(rest, "0x") && (len(rest) > 2 && hexDigit(rest[2]) < 16 || len(rest) > 3 && rest[2] == '.' && hexDigit(rest[3]) < 16) {
		base, exponent = 16, 'p'
		i += 2
	}
	start, point := i, 0
	for i < len(text) && (hexDigit(text[i]) < base || text[i] == '.' && point == 0) {
		if text[i] == '.' {
			point = 1
		}
		i++
	}
	if i-start-point == 0 {
		return 0
	}
	if i < len(text) && text[i]|0x20 == exponent {
		j := i + 1
		if j < len(text) && (text[j] == '-' || text[j] == '+') {
			j++
		}
		digits := j
		for j < len(text) && text[j] >= '0' && text[j] <= '9' {
			j++
		}
		if j > digits {
			i = j
		}
	}
	return i
}

// fraction writes a number that is not negative.
func (f *Formatter) fraction(n *big.Float, letter byte, d *directive) string {
	precision := d.precision
	if precision < 0 {
		precision = 6
	}
	switch letter {
	case 'f':
		return withPoint(n.Text('f', precision), precision, d)
	case 'e':
		return withPoint(n.Text('e', precision), precision, d)
	case 'a':
		return f.hexadecimal(n, d)
	}
	// %g: the shorter of the two, without zeros at the end.
	precision = max(precision, 1)
	text := n.Text('e', precision-1)
	_, after, _ := strings.Cut(text, "e")
	exponent, _ := strconv.Atoi(after)
	if exponent >= -4 && exponent < precision {
		text = n.Text('f', precision-1-exponent)
		return withPoint(withoutZeros(text, d), precision-1-exponent, d)
	}
	digits, power, _ := strings.Cut(text, "e")
	return withPoint(withoutZeros(digits, d)+"e"+power, precision-1, d)
}

// withoutZeros removes the zeros at the end of a fraction, unless the flag wants them.
func withoutZeros(text string, d *directive) string {
	if d.has('#') || !strings.Contains(text, ".") {
		return text
	}
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// withPoint adds the point of a number that has no fraction, if the flag wants it.
func withPoint(text string, precision int, d *directive) string {
	if precision > 0 || !d.has('#') {
		return text
	}
	digits, power, ok := strings.Cut(text, "e")
	if ok {
		power = "e" + power
	}
	return digits + "." + power
}

// hexadecimal writes a number as %a: of a double, the digit before the point is 1; of a long double, it has four bits.
func (f *Formatter) hexadecimal(n *big.Float, d *directive) string {
	if n.Sign() == 0 {
		text := "0x0"
		if d.precision > 0 {
			text += "." + strings.Repeat("0", d.precision)
		}
		return text + "p+0"
	}
	first := 1
	if f.Style == PrintfOfBash {
		first = 4
	}
	fraction := new(big.Float)
	exponent := n.MantExp(fraction) - first
	digits := int((n.Prec() - uint(first) + 3) / 4) // behind the point
	if d.precision >= 0 && d.precision < digits {
		digits = d.precision
	}
	whole, _ := rounded(new(big.Float).SetMantExp(fraction, first+4*digits)).Int(nil)
	text := whole.Text(16)
	if len(text) > digits+1 { // rounded up to one digit more
		text, exponent = text[:len(text)-1], exponent+4
	}
	text, behind := text[:1], text[1:]
	if d.precision < 0 {
		behind = strings.TrimRight(behind, "0")
	} else if len(behind) < d.precision {
		behind += strings.Repeat("0", d.precision-len(behind))
	}
	if behind != "" || d.has('#') {
		text += "." + behind
	}
	sign := "+"
	if exponent < 0 {
		sign, exponent = "-", -exponent
	}
	return "0x" + text + "p" + sign + strconv.Itoa(exponent)
}

// rounded is a number without fraction: the nearest, and of two the even one.
func rounded(n *big.Float) *big.Float {
	whole, accuracy := n.Int(nil)
	if accuracy == big.Exact {
		return n
	}
	rest := new(big.Float).Sub(n, new(big.Float).SetInt(whole))
	if c := rest.Cmp(big.NewFloat(0.5)); c > 0 || c == 0 && whole.Bit(0) == 1 {
		whole.Add(whole, big.NewInt(1))
	}
	return new(big.Float).SetInt(whole)
}
