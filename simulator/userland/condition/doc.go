// Package condition evaluates conditions as test, [ and BusyBox's [[ do, and as the built-ins of shells do.
package condition
