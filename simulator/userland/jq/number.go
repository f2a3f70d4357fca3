package jq

import (
	"math"

	"github.com/plumbline-ci/plumbline/simulator/userland/precise"
)

// The functions of C's mathematical library.

type unary = func(float64) float64

// numeric finds a function of the mathematical library by its name and number of parameters.
func numeric(name string) func(*Machine, any, []any) (any, error) {
	if f := unaries[name]; f != nil {
		return func(m *Machine, in any, _ []any) (any, error) {
			x, err := m.number(in)
			if err != nil {
				return nil, err
			}
			return f(x), nil
		}
	}
	if f := binaries[name]; f != nil {
		return func(m *Machine, _ any, args []any) (any, error) {
			x, err := m.number(args[0])
			if err != nil {
				return nil, err
			}
			y, err := m.number(args[1])
			if err != nil {
				return nil, err
			}
			return f(x, y), nil
		}
	}
	switch name {
	case "fma/3":
		return func(m *Machine, _ any, args []any) (any, error) {
			var x [3]float64
			for i, a := range args {
				f, err := m.number(a)
				if err != nil {
					return nil, err
				}
				x[i] = f
			}
			return math.FMA(x[0], x[1], x[2]), nil
		}
	case "frexp/0":
		return m2(func(x float64) (float64, float64) {
			f, e := math.Frexp(x)
			return f, float64(e)
		})
	case "modf/0":
		return m2(func(x float64) (float64, float64) {
			i, f := math.Modf(x)
			return f, i
		})
	case "lgamma_r/0":
		return m2(func(x float64) (float64, float64) {
			f, sign := math.Lgamma(x)
			return f, float64(sign)
		})
	}
	return nil
}

// m2 is a function with two results.
func m2(f func(float64) (float64, float64)) func(*Machine, any, []any) (any, error) {
	return func(m *Machine, in any, _ []any) (any, error) {
		x, err := m.number(in)
		if err != nil {
			return nil, err
		}
		a, b := f(x)
		m.reserve(arraySize)
		return newArray([]any{a, b}), nil
	}
}

func (m *Machine) number(v any) (float64, error) {
	if f, ok := v.(float64); ok {
		return f, nil
	}
	return 0, failure("%s (%s) number required", kind(v), m.brief(v, 15))
}

var unaries = map[string]unary{
	"floor/0":     math.Floor,
	"ceil/0":      math.Ceil,
	"round/0":     math.Round,
	"trunc/0":     math.Trunc,
	"rint/0":      math.RoundToEven,
	"nearbyint/0": math.RoundToEven,
	"fabs/0":      math.Abs,
	"sqrt/0":      math.Sqrt,
	"cbrt/0":      math.Cbrt,
	"sin/0":       math.Sin,
	"cos/0":       math.Cos,
	"tan/0":       math.Tan,
	"asin/0":      math.Asin,
	"acos/0":      math.Acos,
	"atan/0":      math.Atan,
	"sinh/0":      math.Sinh,
	"cosh/0":      math.Cosh,
	"tanh/0":      math.Tanh,
	"asinh/0":     math.Asinh,
	"acosh/0":     math.Acosh,
	"atanh/0":     math.Atanh,
	"exp/0":       precise.Exp,
	"exp2/0":      precise.Exp2,
	"expm1/0":     math.Expm1,
	"log/0":       precise.Log,
	"log2/0":      precise.Log2,
	"log10/0":     precise.Log10,
	"log1p/0":     math.Log1p,
	"logb/0":      math.Logb,
	"j0/0":        math.J0,
	"j1/0":        math.J1,
	"y0/0":        math.Y0,
	"y1/0":        math.Y1,
	"tgamma/0":    math.Gamma,
	"exp10/0":     precise.Exp10,
	"pow10/0":     precise.Exp10,
	"gamma/0":     logGamma,
	"lgamma/0":    logGamma,
	"significand/0": func(x float64) float64 {
		if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
			return x
		}
		f, _ := math.Frexp(x)
		return 2 * f
	},
}

func logGamma(x float64) float64 {
	f, _ := math.Lgamma(x)
	return f
}

var binaries = map[string]func(x, y float64) float64{
	"pow/2": math.Pow, "atan2/2": math.Atan2, "fmod/2": math.Mod, "fmin/2": least, "fmax/2": most, "fdim/2": math.Dim, "copysign/2": math.Copysign,
	"hypot/2": math.Hypot, "nextafter/2": math.Nextafter, "nexttoward/2": math.Nextafter, "drem/2": math.Remainder,
	"ldexp/2": scale, "scalb/2": scale, "scalbln/2": scale,
}

func scale(x, y float64) float64 { return math.Ldexp(x, int(min(max(y, -5000), 5000))) }

func least(x, y float64) float64 {
	if math.IsNaN(x) || y < x {
		return y
	}
	return x
}

func most(x, y float64) float64 {
	if math.IsNaN(x) || y > x {
		return y
	}
	return x
}
