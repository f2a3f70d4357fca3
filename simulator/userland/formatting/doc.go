// Package formatting holds echo and printf, for utilities and for the built-ins of shells.
package formatting
