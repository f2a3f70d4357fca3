package osadapter

import "golang.org/x/sys/unix"

// carriesEvents reports whether changes in dir make events, whichever process of this machine makes them. That is known of
// local file systems only: a network file system does not report other machines' changes, a stacked one may have two files
// where there seems to be one, and of others nothing is known.
func carriesEvents(dir string) bool {
	var is unix.Statfs_t
	if err := unix.Statfs(dir, &is); err != nil {
		return true // gone again; adding it will tell
	}
	switch uint32(is.Type) {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC,
		unix.TMPFS_MAGIC, unix.RAMFS_MAGIC, zfsMagic, bcachefsMagic:
		return true
	default:
		return false
	}
}

// Numbers of file systems that package unix has no names for.
const (
	zfsMagic      = 0x2fc12fc1
	bcachefsMagic = 0xca451a4e
)
