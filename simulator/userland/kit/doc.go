// Package kit is what the utilities of simulated images are made of: options and messages in the words of BusyBox and
// of GNU, input by lines with its accounting, patterns, and small readers of numbers.
package kit
