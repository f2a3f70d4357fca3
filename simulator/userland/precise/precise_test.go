package precise_test

import (
	"testing"

	"github.com/plumbline-ci/plumbline/simulator/userland/precise"
)

// TestLastDigits compares with what the C library of Debian 12 returns, on numbers for which package math is off by one.
func TestLastDigits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		got, want float64
	}{
		{"log(3)", precise.Log(3), 1.0986122886681098},
		{"log(11)", precise.Log(11), 2.3978952727983707},
		{"log(1)", precise.Log(1), 0},
		{"log2(3)", precise.Log2(3), 1.584962500721156},
		{"log2(8)", precise.Log2(8), 3},
		{"log10(3)", precise.Log10(3), 0.47712125471966244},
		{"log10(5)", precise.Log10(5), 0.6989700043360189},
		{"log10(1000)", precise.Log10(1000), 3},
		{"exp(38)", precise.Exp(38), 31855931757113756},
		{"exp(0)", precise.Exp(0), 1},
		{"exp2(10)", precise.Exp2(10), 1024},
		{"exp10(3)", precise.Exp10(3), 1000.0000000000001},
		{"exp10(7)", precise.Exp10(7), 9999999.999999998},
	} {
		if tt.got != tt.want {
			t.Errorf("%s is %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}
