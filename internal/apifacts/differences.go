package apifacts

// differences are the rows in which the simulated server answers otherwise than the real one, and why that may stay.
func differences() map[string]string {
	const (
		wording = "Only the words of a refusal differ, which nothing that is judged depends on."
	)
	return map[string]string{
		"create/ownerReference without uid": "The simulated server asks the library of a later release (apimachinery v0.37), which calls this a missing value of one reference.",
		"pod/invalid: volume mounts":        "The real server leaves the index out of the path; the simulated one names the mount.",
		"pod/invalid: probes":               "The same errors in another order.",
		"pod/limit range sets defaults":     wording,
		"node/a new node is tainted":        "Nodes of the simulated cluster are ready as soon as they exist, so nothing would remove the taint.",
		"claim/defaults":                    "Claims are protected from deletion in use by a real cluster alone; fixtures delete their namespace.",
	}
}
