package v1beta1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Status is the part of a status that every kind has.
type Status struct {
	ObservedGeneration int64             `json:"observedGeneration,omitempty"`
	Conditions         Conditions        `json:"conditions,omitempty"`
	Annotations        map[string]string `json:"annotations,omitempty"`
}

// ConditionType names what a condition is about.
type ConditionType string

// ConditionSeverity says how bad a condition is that is not True; empty means error.
type ConditionSeverity string

// Condition is one statement about an object, with when it last changed.
type Condition struct {
	Type               ConditionType          `json:"type"`
	Status             corev1.ConditionStatus `json:"status"`
	Severity           ConditionSeverity      `json:"severity,omitempty"`
	LastTransitionTime metav1.Time            `json:"lastTransitionTime,omitzero"`
	Reason             string                 `json:"reason,omitempty"`
	Message            string                 `json:"message,omitempty"`
}

// IsTrue, IsFalse and IsUnknown also work on a condition that does not exist, which is unknown.
func (c *Condition) IsTrue() bool { return c != nil && c.Status == corev1.ConditionTrue }

// IsFalse reports whether the condition is there and False.
func (c *Condition) IsFalse() bool { return c != nil && c.Status == corev1.ConditionFalse }

// IsUnknown reports whether the condition is neither True nor False.
func (c *Condition) IsUnknown() bool { return !c.IsTrue() && !c.IsFalse() }

// Equivalent reports whether two conditions say the same, whenever they said it. Either may be nil.
func (c *Condition) Equivalent(other *Condition) bool {
	if c == nil || other == nil {
		return c == other
	}
	a, b := *c, *other
	a.LastTransitionTime, b.LastTransitionTime = metav1.Time{}, metav1.Time{}
	return a == b
}

// Conditions holds at most one condition of each type.
type Conditions []Condition

// Get is the condition of that type, or nil. The pointer leads into the list.
func (cs Conditions) Get(t ConditionType) *Condition {
	for i := range cs {
		if cs[i].Type == t {
			return &cs[i]
		}
	}
	return nil
}

// Set stores a condition as of now, and reports whether that changed anything. If the stored one already says the same,
// it is left alone, so that LastTransitionTime is the time of the last change.
func (cs *Conditions) Set(c Condition, now metav1.Time) bool {
	c.LastTransitionTime = now
	stored := cs.Get(c.Type)
	switch {
	case stored == nil:
		*cs = append(*cs, c)
	case stored.Equivalent(&c):
		return false
	default:
		*stored = c
	}
	return true
}

// GetCondition is the condition of that type, or nil.
func (s *Status) GetCondition(t ConditionType) *Condition { return s.Conditions.Get(t) }

// Succeeded returns the condition that says how a run stands, or nil before the first pass.
func (s *Status) Succeeded() *Condition { return s.GetCondition(ConditionSucceeded) }

// IsDone reports whether a run has ended, well or not.
func (s *Status) IsDone() bool { return !s.Succeeded().IsUnknown() }

// SetCondition stores a condition as of now, and reports whether that changed anything.
func (s *Status) SetCondition(c Condition, now metav1.Time) bool { return s.Conditions.Set(c, now) }
