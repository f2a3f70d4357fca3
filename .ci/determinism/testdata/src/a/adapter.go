//plumbline:adapter drives the real clock

package a

import "time"

func realClock() time.Time { return time.Now() }
