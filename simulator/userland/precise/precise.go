// Package precise has the exponential functions and logarithms as the C library of Debian computes them, to the last digit:
// those of package math are now and then off by one.
//
// It computes in pairs of floating-point numbers, whose sum has twice the digits, and rounds in the end. Where the C library
// does not round correctly, which is in log10 and exp10, it follows the library's formula.
package precise

import "math"

// pair is a number as the sum of two, of which the second is less than the last digit of the first.
type pair struct{ hi, lo float64 }

var (
	ln2     = pair{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56}
	overLn2 = pair{0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56}
)

// sum is a+b, exactly.
func sum(a, b float64) pair {
	s := a + b
	t := s - a
	return pair{s, (a - (s - t)) + (b - t)}
}

// product is a*b, exactly.
func product(a, b float64) pair {
	p := a * b
	return pair{p, math.FMA(a, b, -p)}
}

func (a pair) add(b pair) pair {
	s, t := sum(a.hi, b.hi), sum(a.lo, b.lo)
	s = sum(s.hi, s.lo+t.hi)
	return sum(s.hi, s.lo+t.lo)
}

func (a pair) times(b pair) pair {
	p := product(a.hi, b.hi)
	return sum(p.hi, p.lo+(float64(a.hi*b.lo)+float64(a.lo*b.hi)))
}

func (a pair) scaled(by float64) pair { return pair{a.hi * by, a.lo * by} } // by a power of two

// over is a/n for a small number.
func (a pair) over(n float64) pair {
	q := a.hi / n
	p := product(q, n)
	return sum(q, ((a.hi-p.hi)-p.lo+a.lo)/n)
}

// exponential is e to the power of x: the result is to be multiplied by 2 to the power of k.
func exponential(x pair) (y pair, k int) {
	const halvings = 9
	n := math.RoundToEven(x.hi / ln2.hi)
	r := x.add(ln2.times(pair{hi: -n})).scaled(1.0 / (1 << halvings))
	term, less := r, r // less is e^r-1
	for i := 2.0; i <= 9; i++ {
		term = term.times(r).over(i)
		less = less.add(term)
	}
	for range halvings {
		less = less.scaled(2).add(less.times(less))
	}
	return less.add(pair{hi: 1}), int(n)
}

// logarithm is the natural logarithm of a positive normal number.
func logarithm(x float64) pair {
	if f := x - 1; math.Abs(f) < 1.0/16 { // twice the series of the hyperbolic tangent's inverse, at f/(2+f)
		s := quotient(pair{hi: f}, sum(2, f))
		square := s.times(s)
		total, power := s, s
		for i := 3.0; i < 27; i += 2 {
			power = power.times(square)
			total = total.add(power.over(i))
		}
		return total.scaled(2)
	}
	near := math.Log(x)
	e, k := exponential(pair{hi: -near})
	rest := e.times(pair{hi: math.Ldexp(x, k)}).add(pair{hi: -1}) // x is e^near times one more than this
	return sum(near, 0).add(rest.add(rest.times(rest).scaled(-0.5)))
}

func quotient(a, b pair) pair {
	q := a.hi / b.hi
	rest := a.add(b.times(pair{hi: -q}))
	return sum(q, rest.hi/b.hi)
}

// usual reports whether a result in this range comes out of these functions, and not of package math: special values, and numbers
// that are so small that they have fewer digits.
func usual(x, least, most float64) bool { return x >= least && x <= most }

const (
	leastNormal  = 0x1p-1022
	mostExponent = 709
)

// Exp is e to the power of x.
func Exp(x float64) float64 {
	if !usual(x, -708, mostExponent) {
		return math.Exp(x)
	}
	y, k := exponential(pair{hi: x})
	return math.Ldexp(y.hi, k)
}

// Exp2 is 2 to the power of x.
func Exp2(x float64) float64 {
	if !usual(x, -1022, 1023) {
		return math.Exp2(x)
	}
	n := math.RoundToEven(x)
	y, k := exponential(ln2.times(pair{hi: x - n}))
	return math.Ldexp(y.hi, k+int(n))
}

// Exp10 is 10 to the power of x, as the library makes it of two powers of e.
func Exp10(x float64) float64 {
	const high, low = 0x2.4d7637p0, 0x7.6aaa2b05ba95cp-28 // parts of the logarithm of 10
	switch {
	case !usual(x, -308, 308):
		return math.Pow(10, x)
	case math.Abs(x) < 0x1p-56:
		return 1
	}
	head := math.Float64frombits(math.Float64bits(x) &^ (1<<27 - 1))
	rest := float64(head*low) + float64((x-head)*math.Ln10)
	return Exp(head*high) * Exp(rest)
}

// Log is the natural logarithm.
func Log(x float64) float64 {
	if !usual(x, leastNormal, math.MaxFloat64) {
		return math.Log(x)
	}
	return logarithm(x).hi
}

// Log2 is the logarithm to the base of 2.
func Log2(x float64) float64 {
	if !usual(x, leastNormal, math.MaxFloat64) {
		return math.Log2(x)
	}
	f, k := math.Frexp(x)
	if f < math.Sqrt2/2 {
		f, k = 2*f, k-1
	}
	return pair{hi: float64(k)}.add(logarithm(f).times(overLn2)).hi
}

// Log10 is the logarithm to the base of 10, as the library makes it of a natural one.
func Log10(x float64) float64 {
	const (
		overLn10 = 4.34294481903251816668e-01
		high     = 3.01029995663611771306e-01 // parts of the logarithm of 2
		low      = 3.69423907715893078616e-13
	)
	if !usual(x, leastNormal, math.MaxFloat64) {
		return math.Log10(x)
	}
	f, k := math.Frexp(x) // f is from 1/2 on, and below 1
	if k >= 1 {
		f, k = 2*f, k-1
	}
	n := float64(k)
	return float64(float64(n*low)+float64(overLn10*Log(f))) + float64(n*high)
}
