package kit

import (
	"strconv"
)

// names are those of users or groups that a utility has asked for. Each is looked up once.
type names map[uint32]string

func (n *names) of(id uint32, find func(uint32) (string, bool)) string {
	if *n == nil {
		*n = names{}
	}
	name, known := (*n)[id]
	if !known {
		var ok bool
		if name, ok = find(id); !ok {
			name = strconv.FormatUint(uint64(id), 10)
		}
		(*n)[id] = name
	}
	return name
}

// User is the name of a user, or the number.
func (t *Tool) User(uid uint32, numeric bool) string {
	if numeric {
		return strconv.FormatUint(uint64(uid), 10)
	}
	return t.users.of(uid, t.P.Container().UserName)
}

// Group is the name of a group, or the number.
func (t *Tool) Group(gid uint32, numeric bool) string {
	if numeric {
		return strconv.FormatUint(uint64(gid), 10)
	}
	return t.groups.of(gid, t.P.Container().GroupName)
}
