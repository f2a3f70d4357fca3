package processes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// Id is the utilities id and groups.
func Id(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	letters, most := "gnruG", 1
	if t.Name == "groups" {
		letters = ""
	}
	opts, names, ok := t.Options(args, letters, false, nil)
	if !ok || t.Misused(names, 0, most) {
		return t.End()
	}
	if len(opts) > 1+kit.Btoi(kit.Has(opts, 'n'))+kit.Btoi(kit.Has(opts, 'r')) || (kit.Has(opts, 'n') || kit.Has(opts, 'r')) && !kit.Has(opts, 'u') && !kit.Has(opts, 'g') && !kit.Has(opts, 'G') {
		return t.Usage()
	}
	who := account{uid: p.UID, groups: []uint32{p.GID}}
	for _, g := range p.Groups {
		if !slices.Contains(who.groups, g) {
			who.groups = append(who.groups, g)
		}
	}
	if len(names) > 0 {
		if who, ok = accountOf(t, names[0]); !ok {
			return t.Fail("unknown user %s", names[0])
		}
	}
	named := kit.Has(opts, 'n') || t.Name == "groups"
	switch {
	case kit.Has(opts, 'u'):
		t.Out.WriteString(t.User(who.uid, !named) + "\n")
	case kit.Has(opts, 'g'):
		t.Out.WriteString(t.Group(who.groups[0], !named) + "\n")
	case kit.Has(opts, 'G') || t.Name == "groups":
		all := make([]string, len(who.groups))
		for i, g := range who.groups {
			all[i] = t.Group(g, !named)
		}
		t.Out.WriteString(strings.Join(all, " ") + "\n")
	default:
		t.Out.WriteString(identity(t, who) + "\n")
	}
	return t.End()
}

// account is a user with its groups, the own one first.
type account struct {
	uid    uint32
	groups []uint32
}

// accountOf finds a user by its name.
func accountOf(t *kit.Tool, name string) (account, bool) {
	c := t.P.Container()
	uid, ok := c.UserID(name)
	gid, _ := c.UserGroup(name)
	who := account{uid: uid, groups: []uint32{gid}}
	for _, g := range c.GroupsOf(name) {
		if !slices.Contains(who.groups, g) {
			who.groups = append(who.groups, g)
		}
	}
	return who, ok
}

// identity is the line that id prints.
func identity(t *kit.Tool, who account) string {
	c := t.P.Container()
	describe := func(n uint32, name string, known bool) string {
		if known {
			return fmt.Sprintf("%d(%s)", n, name)
		}
		return strconv.FormatUint(uint64(n), 10)
	}
	user, known := c.UserName(who.uid)
	out := "uid=" + describe(who.uid, user, known)
	for i, g := range who.groups {
		name, known := c.GroupName(g)
		group := describe(g, name, known)
		if i == 0 {
			out += " gid=" + group + " groups=" + group
		} else {
			out += "," + group
		}
	}
	return out
}

// Whoami is the utility whoami.
func Whoami(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	if t.Misused(args[1:], 0, 0) {
		return t.End()
	}
	name, ok := p.Container().UserName(p.UID)
	if !ok {
		return t.Fail("unknown uid %d", p.UID)
	}
	t.Out.WriteString(name + "\n")
	return t.End()
}

// Hostname is the utility hostname.
func Hostname(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	var long map[string]string
	if t.GNU {
		long = map[string]string{"short": "s", "fqdn": "f", "long": "f", "domain": "d", "ip-address": "i", "file": "F:"}
	}
	opts, names, ok := t.Options(args, "dfisvF:", false, long)
	if !ok || t.Misused(names, 0, 1) {
		return t.End()
	}
	name := p.Container().Hostname()
	short, domain, _ := strings.Cut(name, ".")
	switch {
	case len(names) > 0 || kit.Has(opts, 'F'):
		return t.Fail("sethostname: Operation not permitted")
	case kit.Has(opts, 's'):
		name = short
	case kit.Has(opts, 'd'):
		name = domain
	case kit.Has(opts, 'i'):
		name = "127.0.0.1"
	}
	if name != "" || !kit.Has(opts, 'd') {
		t.Out.WriteString(name + "\n")
	}
	return t.End()
}

// Uname is the utilities uname and arch.
func Uname(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	if t.Name == "arch" {
		args = []string{"arch", "-m"}
	}
	opts, names, ok := t.Options(args, "aimnoprsv", false, map[string]string{"all": "a", "kernel-name": "s", "nodename": "n", "kernel-release": "r",
		"kernel-version": "v", "machine": "m", "processor": "p", "operating-system": "o"})
	if !ok || t.Misused(names, 0, 0) {
		return t.End()
	}
	if len(opts) == 0 {
		opts['s'] = []string{""}
	}
	machine := "x86_64"
	if _, arch, _ := strings.Cut(p.Container().Platform(), "/"); strings.HasPrefix(arch, "arm64") {
		machine = "aarch64"
	} else if arch != "amd64" && arch != "" {
		machine, _, _ = strings.Cut(arch, "/")
	}
	var parts []string
	for _, x := range []struct {
		letter byte
		text   string
	}{{'s', "Linux"}, {'n', p.Container().Hostname()}, {'r', "6.1.0"}, {'v', "#1 SMP"}, {'m', machine}, {'p', "unknown"}, {'i', "unknown"}, {'o', "GNU/Linux"}} {
		if kit.Has(opts, x.letter) || kit.Has(opts, 'a') && x.text != "unknown" {
			parts = append(parts, x.text)
		}
	}
	t.Out.WriteString(strings.Join(parts, " ") + "\n")
	return t.End()
}
