package config_test

import (
	"testing"

	"github.com/plumbline-ci/plumbline/api/config"
)

// Whatever a person writes into the ConfigMaps, it is a configuration within its bounds, or an error.
func FuzzParse(f *testing.F) {
	for _, seed := range [][2]string{
		{config.KeyTimeoutMinutes, "5"}, {config.KeyTimeoutMinutes, "99999999999999999999"}, {config.KeyPodTemplate, "nodeSelector: {a: b}"},
		{config.KeyPodTemplate, "a: &a [*a]"}, {config.KeyPodTemplate, "[[[["}, {config.KeyForbiddenEnv, " A,,A , B"}, {config.KeyMaxResultSize, "4096"},
		{config.KeyMaxResultSize, "-1"}, {config.KeyEnableAPIFields, " ALPHA "}, {config.KeyAwaitSidecarReadiness, "maybe"}, {config.KeyTaskRunWorkspaceBinding, "emptyDir: {}"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		data := map[string]string{key: value}
		c, err := config.Parse(data, data)
		if err != nil {
			if err.Error() == "" || c != nil {
				t.Fatalf("an error that does not help: %v, %+v", err, c)
			}
			return
		}
		if n := c.FeatureFlags.MaxResultSize; n <= 0 || n >= 1572864 {
			t.Fatalf("a result may have %d bytes", n)
		}
		for i, name := range c.Defaults.ForbiddenEnv {
			if name == "" || i > 0 && c.Defaults.ForbiddenEnv[i-1] >= name {
				t.Fatalf("not sorted, or twice: %q", c.Defaults.ForbiddenEnv)
			}
		}
	})
}
