// Package text holds the utilities that work on text and bytes: grep, sed, sort, cut, diff, awk, jq and their kin.
package text
