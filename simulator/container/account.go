package container

import (
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/files"
)

// The databases of users and groups.
const (
	accounts = "/etc/passwd"
	groups   = "/etc/group"
)

// record is a line of a database.
type record []string

func (r record) field(i int) string {
	if i < len(r) {
		return r[i]
	}
	return ""
}

func (r record) number(i int) uint32 {
	n, err := strconv.ParseUint(r.field(i), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

func (r record) id() uint32  { return r.number(2) }
func (r record) gid() uint32 { return r.number(3) }

// account finds the record that has the key in one of the fields.
func (c *Container) account(database, key string, fields ...int) (record, bool) {
	root := files.Caller{View: c.view, Dir: "/"}
	data, err := root.ReadFile(database)
	if err != nil {
		return nil, false
	}
	for line := range strings.Lines(string(data)) {
		if !strings.Contains(line, key) {
			continue
		}
		r := record(strings.Split(strings.TrimRight(line, "\n"), ":"))
		if slices.ContainsFunc(fields, func(f int) bool { return r.field(f) == key }) {
			return r, true
		}
	}
	return nil, false
}

// UserName returns the name of a user, if it has one.
func (c *Container) UserName(uid uint32) (string, bool) {
	r, ok := c.account(accounts, strconv.FormatUint(uint64(uid), 10), 2)
	return r.field(0), ok
}

// UserID returns the number of a user by its name.
func (c *Container) UserID(name string) (uint32, bool) {
	r, ok := c.account(accounts, name, 0)
	return r.id(), ok
}

// UserHome returns the home directory of a user by its name.
func (c *Container) UserHome(name string) (string, bool) {
	r, ok := c.account(accounts, name, 0)
	return r.field(5), ok
}

// UserShell returns the login shell of a user.
func (c *Container) UserShell(uid uint32) (string, bool) {
	r, ok := c.account(accounts, strconv.FormatUint(uint64(uid), 10), 2)
	return r.field(6), ok
}

// UserGroup returns the number of a user's own group by the user's name.
func (c *Container) UserGroup(name string) (uint32, bool) {
	r, ok := c.account(accounts, name, 0)
	return r.gid(), ok
}

// Accounts returns the names of all users, or of all groups.
func (c *Container) Accounts(ofGroups bool) []string {
	database := accounts
	if ofGroups {
		database = groups
	}
	root := files.Caller{View: c.view, Dir: "/"}
	data, err := root.ReadFile(database)
	if err != nil {
		return nil
	}
	var names []string
	for line := range strings.Lines(string(data)) {
		if name, _, ok := strings.Cut(line, ":"); ok {
			names = append(names, name)
		}
	}
	return names
}

// GroupName returns the name of a group, if it has one.
func (c *Container) GroupName(gid uint32) (string, bool) {
	r, ok := c.account(groups, strconv.FormatUint(uint64(gid), 10), 2)
	return r.field(0), ok
}

// GroupID returns the number of a group by its name.
func (c *Container) GroupID(name string) (uint32, bool) {
	r, ok := c.account(groups, name, 0)
	return r.id(), ok
}

// GroupsOf returns the numbers of the groups that list a user as a member, in the order of the list of groups.
func (c *Container) GroupsOf(user string) []uint32 {
	root := files.Caller{View: c.view, Dir: "/"}
	data, err := root.ReadFile(groups)
	if err != nil {
		return nil
	}
	var out []uint32
	for line := range strings.Lines(string(data)) {
		if !strings.Contains(line, user) {
			continue
		}
		r := record(strings.Split(strings.TrimRight(line, "\n"), ":"))
		if slices.Contains(strings.Split(r.field(3), ","), user) {
			out = append(out, r.id())
		}
	}
	return out
}
