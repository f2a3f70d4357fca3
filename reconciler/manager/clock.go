//plumbline:adapter the machine's clock
package manager

import "time"

// wallClock is the machine's.
type wallClock struct{}

// Now implements taskrun.Clock.
func (wallClock) Now() time.Time { return time.Now() }
