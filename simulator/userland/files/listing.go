package files

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/dates"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// permissions is the first column of ls -l.
func permissions(info *files.Info) string {
	kind := map[files.Kind]byte{files.Regular: '-', files.Directory: 'd', files.Symlink: 'l', files.CharDevice: 'c', files.Fifo: 'p'}[info.Kind()]
	return modeText(kind, info.Perm())
}

// modeText is a kind and a mode as ls prints them.
func modeText(kind byte, mode uint16) string {
	out := []byte{kind}
	for i := 8; i >= 0; i-- {
		c := "xwr"[i%3]
		if mode&(1<<i) == 0 {
			c = '-'
		}
		out = append(out, c)
	}
	special := func(bit uint16, at int, letter byte) {
		if mode&bit != 0 {
			if out[at] == '-' {
				letter &^= 0x20
			}
			out[at] = letter
		}
	}
	special(files.Setuid, 3, 's')
	special(files.Setgid, 6, 's')
	special(files.Sticky, 9, 't')
	return string(out)
}

// stamp is the time of a file in the style that was asked for.
func (l *lister) stamp(when time.Time) string {
	switch style := kit.Last(l.opts, '^'); {
	case kit.Has(l.opts, 'f') && !l.GNU:
		return when.Format("2006-01-02 15:04:05 -0700")
	case style == "full-iso" || kit.Has(l.opts, 'f'):
		return when.Format("2006-01-02 15:04:05.000000000 -0700")
	case style == "long-iso":
		return when.Format("2006-01-02 15:04")
	case style == "iso" && l.P.Now().Sub(when) > 182*24*time.Hour:
		return when.Format("2006-01-02 ")
	case style == "iso":
		return when.Format("01-02 15:04")
	case strings.HasPrefix(style, "+"):
		return dates.StrftimeGNU(style[1:], when.UTC())
	}
	return listTime(when, l.P.Now())
}

// listTime is the time as ls shows it: with the hour if it is within half a year, and not far in the future.
func listTime(when, now time.Time) string {
	if age := now.Sub(when); age >= 365*12*time.Hour || age <= -15*time.Minute {
		return when.Format("Jan _2  2006")
	}
	return when.Format("Jan _2 15:04")
}

func human(n int64) string {
	if n < 1024 {
		return strconv.FormatInt(n, 10)
	}
	f := float64(n)
	for _, unit := range "KMGT" {
		if f /= 1024; f < 1024 {
			return fmt.Sprintf("%.1f%c", f, unit)
		}
	}
	return fmt.Sprintf("%.1fP", f/1024)
}

// humanCeiling is human as GNU's utilities have it: rounded up, and with a decimal below ten only.
func humanCeiling(n int64) string {
	if n < 1024 {
		return strconv.FormatInt(n, 10)
	}
	f := float64(n)
	for _, unit := range "KMGTPE" {
		f /= 1024
		if tenths := math.Ceil(f * 10); tenths < 100 {
			return fmt.Sprintf("%.1f%c", tenths/10, unit)
		}
		if whole := math.Ceil(f); whole < 1024 {
			return fmt.Sprintf("%.0f%c", whole, unit)
		}
	}
	return fmt.Sprintf("%.0fE", math.Ceil(f))
}

// humanOf is a number of bytes for people, as this version of the utility writes it.
func humanOf(t *kit.Tool, n int64) string {
	if t.GNU {
		return humanCeiling(n)
	}
	return human(n)
}
