package contract

// waitingCases are about wait files, spec §5.4.
func waitingCases() []Case {
	return []Case{{
		Name: "wait file is there", Reason: "EP-11: the first check is immediate",
		Args:   step("echo run", "-wait_file", before),
		Before: map[string]string{before: ""},
		Want:   Want{Stdout: "run\n", Files: map[string]string{out: "", exitCode: "0", message: list(started)}},
	}, {
		Name: "wait file appears", Reason: "EP-11",
		Args:   step("echo run", append(hello(), "-wait_file", before)...),
		Before: helloFiles("/tekton/run/0/"),
		Events: []Event{{After: helloDone, Put: before}},
		Want: Want{Stdout: "run\n", Files: helloWant(map[string]string{
			out: "", exitCode: "0", message: list(started)})},
	}, {
		Name: "wait file appears with its directory", Reason: "EP-11: nothing on the way need exist",
		Args:   step("echo run", append(hello(), "-wait_file", before)...),
		Before: helloFiles(),
		Events: []Event{{After: helloDone, Put: before}},
		Want: Want{Stdout: "run\n", Files: helloWant(map[string]string{
			out: "", exitCode: "0", message: list(started)})},
	}, {
		Name: "failure appears", Reason: "EP-13",
		Args:   step("echo never", append(hello(), "-wait_file", before)...),
		Before: helloFiles("/tekton/run/0/"),
		Events: []Event{{After: helloDone, Put: before + ".err"}},
		Want: Want{Code: 1, Stderr: "Skipping step because a previous step failed\n", Files: helloWant(map[string]string{
			outErr: "", message: list(started)})},
	}, {
		Name: "several wait files", Reason: "§5.1 -wait_file: one after the other, empty elements skipped",
		Args:   step("echo run", append(hello(), "-wait_file", ",/tekton/a,,/tekton/b,")...),
		Before: helloFiles(),
		Events: []Event{{After: helloDone, Put: "/tekton/b"}, {Put: "/tekton/a"}},
		Want: Want{Stdout: "run\n", Files: helloWant(map[string]string{
			out: "", exitCode: "0", message: list(started)})},
	}, {
		Name: "content is waited for", Reason: "EP-11 with -wait_file_content",
		Args:   step("echo run", append(hello(), "-wait_file", "/tekton/downward/ready", "-wait_file_content")...),
		Before: helloFiles("/tekton/downward/"),
		Events: []Event{{After: helloDone, Put: "/tekton/downward/ready"}, {Put: "/tekton/downward/ready", Content: "READY"}},
		Want: Want{Stdout: "run\n", Files: helloWant(map[string]string{
			out: "", exitCode: "0", message: list(started), "/tekton/downward/ready": "READY"})},
	}, {
		Name: "content arrives as the kubelet delivers it", Reason: "EP-11: a downward API volume exchanges a link",
		Args: step("echo run", append(hello(), "-wait_file", "/tekton/downward/ready", "-wait_file_content")...),
		Before: with(helloFiles(), map[string]string{
			"/tekton/downward/..1/ready": "",
			"/tekton/downward/..data":    "-> ..1",
			"/tekton/downward/ready":     "-> ..data/ready",
		}),
		Events: []Event{
			{After: helloDone, Put: "/tekton/downward/..2/ready", Content: "READY"},
			{Put: "/tekton/downward/..data", Content: "-> ..2"},
		},
		Want: Want{Stdout: "run\n", Files: helloWant(map[string]string{
			out: "", exitCode: "0", message: list(started)})},
	}, {
		Name: "a file without content is enough otherwise", Reason: "EP-11 without -wait_file_content",
		Args:   step("echo run", "-wait_file", before, "-wait_file_content=false"),
		Before: map[string]string{before: ""},
		Want:   Want{Stdout: "run\n", Files: map[string]string{out: "", exitCode: "0", message: list(started)}},
	}, {
		Name: "the timeout starts after the waiting", Reason: "EP-14",
		Args:   step("echo run", append(hello(), "-wait_file", before, "-timeout", "10s")...),
		Before: helloFiles("/tekton/run/0/"),
		Events: []Event{{After: helloDone, Put: before}},
		Want: Want{Stdout: "run\n", Files: helloWant(map[string]string{
			out: "", exitCode: "0", message: list(started)})},
	}}
}

// A credential flag makes the launcher write files when it has started and before it waits, which tells the cases that
// it waits. helloDone is the last of them.
const helloDone = "/home/user/.docker/config.json"

func hello() []string { return []string{"-docker-config", "hello"} }

func helloFiles(dirs ...string) map[string]string {
	files := map[string]string{
		"/home/user/": "",
		"/tekton/creds-secrets/hello/.dockerconfigjson": `{"auths":{"hello":{}}}`,
	}
	for _, dir := range dirs {
		files[dir] = ""
	}
	return files
}

func helloWant(files map[string]string) map[string]string {
	return with(files, map[string]string{
		"/tekton/creds/.docker/config.json": `{"auths":{"hello":{}}}`,
		helloDone:                           `{"auths":{"hello":{}}}`,
	})
}

func with(files, more map[string]string) map[string]string {
	for path, content := range more {
		files[path] = content
	}
	return files
}
