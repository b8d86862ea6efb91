//go:build !windows

package output

import "os"

func obeysColors(*os.File) bool { return true }
