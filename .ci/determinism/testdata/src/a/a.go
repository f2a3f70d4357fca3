// Package a holds what the analyser must refuse, and what it must let pass.
package a

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

func goroutines(c chan int) {
	go fmt.Println() // want `go statement`
	c <- 1           // want `channel send`
	<-c              // want `channel receive`
	for range c {    // want `range over a channel`
	}
	select {} // want `select in the simulated world`
}

func clocks() time.Duration {
	time.Sleep(1)               // want `time.Sleep`
	d := time.Since(time.Now()) // want `time.Since` `time.Now`
	return d + time.Duration(5)*time.Second
}

func entropy(r *rand.Rand) int {
	return r.IntN(3) + rand.IntN(3) // want `rand.IntN draws`
}

func shows(m map[string]int) (string, []string, error) {
	var last string
	for k := range m { // want `last keeps what the last entry gave it`
		last = k
	}
	var keys []string
	for k := range m { // want `keys collects entries and is not sorted`
		keys = append(keys, k)
	}
	for k, v := range m { // want `a call is made for each entry`
		fmt.Println(k, v)
	}
	for k := range m { // want `a returned value depends`
		return k, nil, nil
	}
	text := ""
	for k := range m { // want `a sum of strings`
		text += k
	}
	for range maps.Keys(m) { // want `maps.Keys yields`
	}
	return last, keys, nil
}

func hidden(m map[string]int) (bool, []string) {
	n, best, found := 0, 0, false
	other := map[string]int{}
	for k, v := range m {
		other[k] = v
		n += v
		best = max(best, v)
		if v == 3 {
			found = true
			continue
		}
		delete(m, k)
	}
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, v := range m {
		if v > 4 {
			return true, nil
		}
	}
	//plumbline:unordered each entry prints to a place of its own
	for k := range m {
		fmt.Println(k)
	}
	return found && n+best > 0, append(keys, slices.Sorted(maps.Keys(m))...)
}
