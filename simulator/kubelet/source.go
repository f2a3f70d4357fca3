package kubelet

import "github.com/plumbline-ci/plumbline/simulator/informer"

// Source is where the kubelet hears of Pods, configMaps and secrets.
type Source = informer.Source

// Event is one change that a Source tells of.
type Event = informer.Event
