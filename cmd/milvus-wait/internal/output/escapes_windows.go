package output

import (
	"os"

	"golang.org/x/sys/windows"
)

// obeysEscapes enables escape sequences on the console, and reports whether it supports them.
func obeysEscapes(console *os.File) bool {
	handle := windows.Handle(console.Fd())
	var mode uint32
	if windows.GetConsoleMode(handle, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(handle, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
