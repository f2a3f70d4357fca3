// Package userland holds the utilities of simulated images: what BusyBox offers, and GNU's versions of it, as far as scripts
// of build steps use them. Options that exist in the real programs and are not known here are refused with the real message,
// so that a script never runs on with a result that is silently different.
//
// A utility (kit.Utility) works on the files, descriptors and clock of its container.Process and on nothing else. Shells run some
// of them in their own process (echo, printf, test).
//
//	text/        what works on text and bytes, with the languages awk/, jq/ and the expressions of posix/ and regex/
//	files/       what works on the file system
//	processes/   what is about processes, their environment and their arguments
//	dates/       date, and the forms of dates
//	formatting/  echo and printf
//	condition/   test
//	kit/         what all of them are made of
//
// None of them is a library's: they have to run on virtual processes, on virtual time, in steps and bytes that are accounted for.
package userland
