package text

import (
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
)

// Yes is the utility yes.
func Yes(p *container.Process, args []string) int {
	text := "y\n"
	if len(args) > 1 {
		text = strings.Join(args[1:], " ") + "\n"
	}
	block := []byte(strings.Repeat(text, max(1, 1024/len(text))))
	for {
		if _, err := p.Write(1, block); err != nil {
			return 1
		}
		p.Spend(container.CommandCost)
	}
}
