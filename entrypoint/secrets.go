package entrypoint

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"path"
	"strings"
)

// Keys of the secrets, which are files of the mounted secret.
const (
	secretUsername      = "username"
	secretPassword      = "password"
	secretDockerCfg     = ".dockercfg"
	secretDockerConfig  = ".dockerconfigjson"
	secretSSHPrivateKey = "ssh-privatekey"
	secretKnownHosts    = "known_hosts"
)

// readSecret reads one key of a mounted secret.
func readSecret(sys System, secret, key string) ([]byte, error) {
	if !plainName(secret) {
		return nil, fmt.Errorf("%q is not the name of a secret", secret)
	}
	return sys.Files.ReadFile(path.Join(sys.Paths.CredsSecrets, secret, key))
}

// splitSecretURL takes secret=url apart.
func splitSecretURL(value string) (secret, url string, err error) {
	secret, url, ok := strings.Cut(value, "=")
	if !ok {
		return "", "", fmt.Errorf("expect entries of the form secret=url, got: %v", value)
	}
	return secret, url, nil
}

func errMultiple(url string) error { return fmt.Errorf("multiple entries for url: %s", url) }

// login is a basic-auth secret.
type login struct{ username, password string }

func readLogin(sys System, secret string) (login, error) {
	username, err := readSecret(sys, secret, secretUsername)
	if err != nil {
		return login{}, err
	}
	password, err := readSecret(sys, secret, secretPassword)
	if err != nil {
		return login{}, err
	}
	return login{string(username), string(password)}, nil
}

// dockerConfig is the auths of a docker configuration by where they come from: entries of dockerconfigjson secrets win
// over those of dockercfg secrets, and basic-auth secrets win over both.
type dockerConfig struct {
	cfg, config, basic map[string]json.RawMessage
}

// dockerAuth is the entry made of a basic-auth secret. Entries of docker's own secrets are passed on as they are.
type dockerAuth struct {
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	Auth     string `json:"auth,omitempty"`
	Email    string `json:"email,omitempty"`
}

const dockerEmail = "not@val.id"

func (c *dockerConfig) addCfg(sys System, secret string) error {
	content, err := readSecret(sys, secret, secretDockerCfg)
	if err != nil {
		return err
	}
	return decodeJSON(content, &c.cfg)
}

func (c *dockerConfig) addConfig(sys System, secret string) error {
	content, err := readSecret(sys, secret, secretDockerConfig)
	if err != nil {
		return err
	}
	parsed := struct {
		Auths *map[string]json.RawMessage `json:"auths"`
	}{&c.config}
	return decodeJSON(content, &parsed)
}

func (c *dockerConfig) addBasic(sys System, value string) error {
	secret, url, err := splitSecretURL(value)
	if err != nil {
		return err
	}
	if _, exists := c.basic[url]; exists {
		return errMultiple(url)
	}
	l, err := readLogin(sys, secret)
	if err != nil {
		return err
	}
	entry, err := json.Marshal(dockerAuth{
		Username: l.username,
		Password: l.password,
		Auth:     base64.StdEncoding.EncodeToString([]byte(l.username + ":" + l.password)),
		Email:    dockerEmail,
	})
	if err != nil {
		return err
	}
	if c.basic == nil {
		c.basic = map[string]json.RawMessage{}
	}
	c.basic[url] = entry
	return nil
}

func (c *dockerConfig) write(sys System) error {
	auths := map[string]json.RawMessage{}
	for _, source := range []map[string]json.RawMessage{c.cfg, c.config, c.basic} {
		maps.Copy(auths, source)
	}
	if len(auths) == 0 {
		return nil
	}
	content, err := json.Marshal(map[string]any{"auths": auths})
	if err != nil {
		return err
	}
	return writeCredential(sys, path.Join(dockerDir, "config.json"), content)
}

// gitCredentials are the basic-auth secrets for git, in the order of the flags.
type gitCredentials struct {
	entries []gitEntry
}

type gitEntry struct {
	url string
	login
}

func (c *gitCredentials) add(sys System, value string) error {
	secret, url, err := splitSecretURL(value)
	if err != nil {
		return err
	}
	for _, e := range c.entries {
		if e.url == url {
			return errMultiple(url)
		}
	}
	l, err := readLogin(sys, secret)
	if err != nil {
		return err
	}
	c.entries = append(c.entries, gitEntry{url, l})
	return nil
}

func (c *gitCredentials) write(sys System) error {
	if len(c.entries) == 0 {
		return nil
	}
	config := bytes.NewBufferString("[credential]\n\thelper = store\n")
	var stored bytes.Buffer
	for _, e := range c.entries {
		fmt.Fprintf(config, "[credential \"%s\"]\n\tusername = %s\n", e.url, strings.ReplaceAll(e.username, `\`, `\\`))
		u, err := url.Parse(e.url)
		if err != nil {
			return err
		}
		u.User = url.UserPassword(e.username, e.password)
		fmt.Fprintf(&stored, "%s\n", u)
	}
	return errors.Join(
		writeCredential(sys, gitConfigFile, config.Bytes()),
		writeCredential(sys, gitCredentialsFile, stored.Bytes()),
	)
}

// sshConfig is the ssh secrets for git, grouped by host in the order of the flags.
type sshConfig struct {
	hosts []sshHost
	keys  []sshKey
	known []string
}

type sshHost struct {
	url     string // host or host:port
	secrets []string
}

type sshKey struct {
	secret  string
	private []byte
}

const sshDefaultPort = "22"

func (c *sshConfig) add(sys System, value string) error {
	secret, url, err := splitSecretURL(value)
	if err != nil {
		return err
	}
	private, err := readSecret(sys, secret, secretSSHPrivateKey)
	if err != nil {
		return err
	}
	known, err := readSecret(sys, secret, secretKnownHosts)
	switch {
	case err == nil:
		c.known = append(c.known, string(known))
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	c.keys = append(c.keys, sshKey{secret, private})
	for i := range c.hosts {
		if c.hosts[i].url == url {
			c.hosts[i].secrets = append(c.hosts[i].secrets, secret)
			return nil
		}
	}
	c.hosts = append(c.hosts, sshHost{url, []string{secret}})
	return nil
}

func (c *sshConfig) write(sys System) error {
	if len(c.hosts) == 0 {
		return nil
	}
	var config bytes.Buffer
	for _, h := range c.hosts {
		host, port, found := strings.Cut(h.url, ":")
		if !found || port == "" {
			port = sshDefaultPort
		}
		fmt.Fprintf(&config, "Host %s\n    HostName %s\n    Port %s\n", host, host, port)
		for _, secret := range h.secrets {
			fmt.Fprintf(&config, "    IdentityFile %s\n", path.Join(sys.Paths.Creds, sshKeyFile(secret)))
		}
	}
	errs := []error{writeCredential(sys, path.Join(sshDir, "config"), config.Bytes())}
	for _, key := range c.keys {
		errs = append(errs, writeCredential(sys, sshKeyFile(key.secret), key.private))
	}
	if len(c.known) > 0 {
		errs = append(errs, writeCredential(sys, path.Join(sshDir, "known_hosts"), []byte(strings.Join(c.known, "\n"))))
	}
	return errors.Join(errs...)
}

func sshKeyFile(secret string) string { return path.Join(sshDir, "id_"+secret) }
