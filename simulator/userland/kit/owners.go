package kit

import (
	"strconv"
)

func (t *Tool) User(uid uint32, numeric bool) string {
	if name, ok := t.P.Container().UserName(uid); ok && !numeric {
		return name
	}
	return strconv.FormatUint(uint64(uid), 10)
}

func (t *Tool) Group(gid uint32, numeric bool) string {
	if name, ok := t.P.Container().GroupName(gid); ok && !numeric {
		return name
	}
	return strconv.FormatUint(uint64(gid), 10)
}
