package node

import (
	"math"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland"
)

// programSleep is the catalogue's name of the command sleep.
const programSleep = "sleep"

// sleepScaled is a sleep that takes a fraction of the time. All else on the node, timeouts first, takes as long as ever.
func sleepScaled(by float64) container.Program {
	sleep := userland.Programs()[programSleep]
	return func(p *container.Process) int {
		for i := 1; i < len(p.Args); i++ {
			p.Args[i] = shorter(p.Args[i], by)
		}
		return sleep(p)
	}
}

// shorter divides a duration as sleep takes it, such as 1.5m. Text that is not a duration is returned unchanged.
func shorter(text string, by float64) string {
	number := strings.TrimRight(text, "smhd")
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || value < 0 || math.IsInf(value, 0) {
		return text
	}
	return strconv.FormatFloat(value/by, 'f', 6, 64) + text[len(number):]
}
