package contract

// credentialCases are about credential files, spec §5.8.
func credentialCases() []Case {
	const (
		secrets = "/tekton/creds-secrets/"
		creds   = "/tekton/creds/"
		home    = "/home/user/"
	)
	run := func(flags ...string) []string { return step("exit 0", flags...) }
	ok := func(files map[string]string) map[string]string {
		all := map[string]string{out: "", exitCode: "0", message: list(started)}
		for name, content := range files {
			all[creds+name] = content
			all[home+name] = content
		}
		return all
	}
	bad := func(line string) Want {
		return Want{Code: 2, Stderr: line + "\n", Files: map[string]string{outErr: ""}}
	}
	basic := func(files map[string]string) map[string]string {
		return with(files, map[string]string{
			secrets + "one/username": "ann", secrets + "one/password": "p:w", home: "",
		})
	}
	const dockerAnn = `{"username":"ann","password":"p:w","auth":"YW5uOnA6dw==","email":"not@val.id"}`
	return []Case{{
		Name: "docker, basic", Reason: "§5.8",
		Args:   run("-basic-docker=one=https://a.example", "-basic-docker=one=https://b.example"),
		Before: basic(map[string]string{}),
		Want: Want{Files: ok(map[string]string{
			".docker/config.json": `{"auths":{"https://a.example":` + dockerAnn + `,"https://b.example":` + dockerAnn + `}}`}),
			Modes: map[string]string{creds + ".docker/config.json": "0600", home + ".docker/config.json": "0600"}},
	}, {
		Name: "docker, all kinds", Reason: "§5.8: dockercfg, then dockerconfigjson, then basic-auth, which wins",
		Args: run("-basic-docker=one=a", "-docker-config=two", "-docker-cfg=three"),
		Before: basic(map[string]string{
			secrets + "two/.dockerconfigjson": `{"auths":{"a":{"auth":"x"},"b":{"auth":"config"}}}`,
			secrets + "three/.dockercfg":      `{"b":{"auth":"cfg"},"c":{"auth":"cfg"}}`,
		}),
		Want: Want{Files: ok(map[string]string{
			".docker/config.json": `{"auths":{"a":` + dockerAnn + `,"b":{"auth":"config"},"c":{"auth":"cfg"}}}`})},
	}, {
		Name: "docker, nothing in it", Reason: "§5.8: nothing is written when empty",
		Args:   run("-docker-config=two"),
		Before: map[string]string{secrets + "two/.dockerconfigjson": `{"auths":{}}`},
		Want:   Want{Files: ok(nil)},
	}, {
		Name: "git, basic", Reason: "§5.8: backslashes are doubled, the rest is escaped as in a URL",
		Args: run("-basic-git", "one=https://a.example", "-basic-git", "win=https://b.example:8443"),
		Before: basic(map[string]string{
			secrets + "win/username": `corp\bob`, secrets + "win/password": "p@ss/word",
		}),
		Want: Want{Files: ok(map[string]string{
			".gitconfig": "[credential]\n\thelper = store\n" +
				"[credential \"https://a.example\"]\n\tusername = ann\n" +
				"[credential \"https://b.example:8443\"]\n\tusername = corp\\\\bob\n",
			".git-credentials": "https://ann:p%3Aw@a.example\nhttps://corp%5Cbob:p%40ss%2Fword@b.example:8443\n"}),
			Modes: map[string]string{home + ".gitconfig": "0600", home + ".git-credentials": "0600"}},
	}, {
		Name: "git, ssh", Reason: "§5.8: several identities per host, port 22 by default",
		Args: run("-ssh-git", "k1=a.example", "-ssh-git", "k2=b.example:2222", "-ssh-git", "k3=a.example"),
		Before: map[string]string{
			home:                          "",
			secrets + "k1/ssh-privatekey": "key1\n", secrets + "k1/known_hosts": "a.example ssh-rsa A",
			secrets + "k2/ssh-privatekey": "key2\n", secrets + "k2/known_hosts": "b.example ssh-rsa B",
			secrets + "k3/ssh-privatekey": "key3\n",
		},
		Want: Want{Files: ok(map[string]string{
			".ssh/id_k1": "key1\n", ".ssh/id_k2": "key2\n", ".ssh/id_k3": "key3\n",
			".ssh/known_hosts": "a.example ssh-rsa A\nb.example ssh-rsa B",
			".ssh/config": "Host a.example\n    HostName a.example\n    Port 22\n" +
				"    IdentityFile /tekton/creds/.ssh/id_k1\n    IdentityFile /tekton/creds/.ssh/id_k3\n" +
				"Host b.example\n    HostName b.example\n    Port 2222\n    IdentityFile /tekton/creds/.ssh/id_k2\n"}),
			Modes: map[string]string{creds + ".ssh/id_k1": "0600", home + ".ssh/id_k1": "0600"}},
	}, {
		Name: "secret without password", Reason: "EP-60 is a flag error (EP-33)",
		Args:   run("-basic-git", "half=https://a.example"),
		Before: map[string]string{secrets + "half/username": "ann"},
		Want: bad(`invalid value "half=https://a.example" for flag -basic-git: ` +
			`open /tekton/creds-secrets/half/password: no such file or directory`),
	}, {
		Name: "two secrets for one url", Reason: "EP-60",
		Args:   run("-basic-docker=one=u", "-basic-docker=one=u"),
		Before: basic(map[string]string{}),
		Want:   bad(`invalid value "one=u" for flag -basic-docker: multiple entries for url: u`),
	}, {
		Name: "secret without url", Reason: "EP-60",
		Args: run("-ssh-git", "one"),
		Want: bad(`invalid value "one" for flag -ssh-git: expect entries of the form secret=url, got: one`),
	}, {
		Name: "secret name that leaves the directory", Reason: "names cannot leave their directory",
		Args: run("-docker-config", "../x"),
		Want: bad(`invalid value "../x" for flag -docker-config: "../x" is not the name of a secret`),
	}, {
		Name: "secret is not JSON", Reason: "EP-33; nothing of it is logged",
		Args:   run("-docker-cfg", "one"),
		Before: map[string]string{secrets + "one/.dockercfg": "hello"},
		Want:   bad(`invalid value "one" for flag -docker-cfg: no valid JSON at byte 1`),
	}, {
		Name: "secret is JSON of another kind", Reason: "EP-33; nothing of it is logged",
		Args:   run("-docker-config", "one"),
		Before: map[string]string{secrets + "one/.dockerconfigjson": `{"auths":1234}`},
		Want:   bad(`invalid value "one" for flag -docker-config: not the expected kind of JSON at byte 13`),
	}, {
		Name: "home that takes no files", Reason: "EP-61: problems are only logged",
		Args:   run("-docker-config=two"),
		Before: map[string]string{home + ".docker": "a file", secrets + "two/.dockerconfigjson": `{"auths":{"a":{}}}`},
		Want: Want{Files: map[string]string{out: "", exitCode: "0", message: list(started),
			creds + ".docker/config.json": `{"auths":{"a":{}}}`},
			Stderr: "warning: unsuccessful cred copy: \".docker\" from \"/tekton/creds\" to \"/home/user\": " +
				"mkdir /home/user/.docker: not a directory\n"},
	}, {
		Name: "credentials of an earlier attempt", Reason: "EP-61: files are overwritten",
		Args: run("-docker-config=two"),
		Before: map[string]string{
			home + ".docker/config.json": "old", home + ".docker/other": "kept",
			secrets + "two/.dockerconfigjson": `{"auths":{"a":{}}}`},
		Want: Want{Files: ok(map[string]string{".docker/config.json": `{"auths":{"a":{}}}`})},
	}}
}
