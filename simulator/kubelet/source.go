package kubelet

import "github.com/plumbline-ci/plumbline/simulator/informer"

// Source is where the kubelet gets Pods, configMaps and secrets from.
type Source = informer.Source

// Event is one change that a Source reports.
type Event = informer.Event
