package apiserver

import "fmt"

// Major and Minor are the version of Kubernetes that the server stands for.
const (
	Major = 1
	Minor = 36
)

// Version is that version as people write it: v1.36.
func Version() string { return fmt.Sprintf("v%d.%d", Major, Minor) }
