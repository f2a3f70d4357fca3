// Command determinism checks packages with the determinism analyser.
package main

import (
	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/plumbline-ci/plumbline/determinism"
)

func main() { unitchecker.Main(determinism.Analyzer) }
