// The determinism check has a module of its own, so that the product does not
// depend on the analysis framework.
module github.com/plumbline-ci/plumbline/determinism

go 1.26.0

require golang.org/x/tools v0.49.0

require (
	golang.org/x/mod v0.39.0 // indirect
	golang.org/x/sync v0.22.0 // indirect
)
