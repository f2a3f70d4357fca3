// Package jq runs programs of jq as version 1.6 does.
//
// The syntax tree comes from gojq's parser. Everything behind it is here, for two reasons. The objects of gojq are maps
// of Go, so they forget the order of their keys, which jq keeps and scripts compare. And gojq runs a program to
// whatever end it has: one short expression takes all memory of the machine. Here a program runs on a small machine of
// its own (machine.go) that charges each step, and all memory before it is taken (memory.go), to a [Meter], which ends
// a program that has had enough. Nothing that a program does can grow the stack of Go beyond a bound: how deep programs
// and values may nest is limited.
//
// Where versions of jq differ, 1.6 decides, also in what it is known for: a try catches errors of what comes behind it,
// repeat(f) repeats f on its input, and limit(0; f) gives one value. Functions that came later (pick, abs, toarray,
// trim) are not there, and an if needs an else.
//
// Not supported: modules, SQL-style operators other than INDEX, IN and JOIN, $__prog_args, and getting the input's
// position other than by input_line_number.
package jq
