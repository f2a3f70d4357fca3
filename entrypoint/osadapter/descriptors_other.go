//go:build !linux

package osadapter

// keepDescriptors does nothing: outside of Linux, inherited descriptors reach the command.
func keepDescriptors() {}
