// Package files holds the utilities that work on the file system: ls, find, cp, mv, rm, tar, dd, stat and their kin.
package files
