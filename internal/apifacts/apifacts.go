// Package apifacts holds one table of facts about the Kubernetes API and asks them of two servers: the simulated one
// (simulator/apiserver) and a real kube-apiserver.
//
// A row is a few requests; what it finds is lines of text: each request's answer (ok, or code, reason, message and
// details of the error), the fields that the row is about, the events of a watch. What differs by nature from run to run
// (UIDs, times, random suffixes, the namespace) is replaced by words, so that the lines of two servers can be compared.
//
// testdata/real.txt is what a real server has answered, and the simulated one has to answer the same: that part needs
// nothing and is an ordinary test. With the binaries of the envtest target (make k8s-assets) the real server is asked
// again, and must answer as recorded. Where the simulated server is known to differ, the row is listed with the reason
// (differences.go) and with what it answers instead (testdata/simulated.txt); docs/differences.md is made of these.
//
//	go test ./internal/apifacts -args -update   # records both sides and writes the document
//
// All of it is test code: this package exports nothing.
package apifacts
