package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/api/config"
)

func TestConfigurationWhileItRuns(t *testing.T) {
	t.Parallel()
	s := config.NewStore()
	if diff := cmp.Diff(config.Default(), s.Now()); diff != "" {
		t.Errorf("before anything was seen (-want +got):\n%s", diff)
	}
	type effect struct {
		minutes int
		fields  string
	}
	for _, row := range []struct {
		reason, configMap string
		data              map[string]string
		want              effect
		err               string
	}{
		{reason: "a value is in force", configMap: "config-defaults", data: map[string]string{"default-timeout-minutes": "5"}, want: effect{5, "stable"}},
		{reason: "each ConfigMap has its own keys", configMap: "feature-flags", data: map[string]string{"enable-api-fields": "alpha", "default-timeout-minutes": "7"}, want: effect{5, "alpha"}},
		{reason: "a bad value leaves the old one", configMap: "config-defaults", data: map[string]string{"default-timeout-minutes": "x"}, want: effect{5, "alpha"},
			err: `failed parsing tracing config "default-timeout-minutes"`},
		{reason: "and the other ConfigMap its changes", configMap: "feature-flags", data: map[string]string{"enable-api-fields": "beta"}, want: effect{5, "beta"}},
		{reason: "other ConfigMaps are others'", configMap: "config-logging", data: map[string]string{"default-timeout-minutes": "9"}, want: effect{5, "beta"}},
		{reason: "a key that is gone has its default again", configMap: "config-defaults", data: nil, want: effect{60, "beta"}},
	} {
		before, was := s.Now(), *s.Now()
		got := ""
		if err := s.Update(row.configMap, row.data); err != nil {
			got = err.Error()
		}
		if got != row.err {
			t.Errorf("%s: error %q, want %q", row.reason, got, row.err)
		}
		if now := s.Now(); now.Defaults.TimeoutMinutes != row.want.minutes || now.FeatureFlags.EnableAPIFields != row.want.fields {
			t.Errorf("%s: %d minutes, %s; want %+v", row.reason, now.Defaults.TimeoutMinutes, now.FeatureFlags.EnableAPIFields, row.want)
		}
		if diff := cmp.Diff(was, *before); diff != "" {
			t.Errorf("%s: what was asked before has changed:\n%s", row.reason, diff)
		}
	}
}
