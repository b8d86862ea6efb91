//go:build !windows

package output

import "os"

func obeysEscapes(*os.File) bool { return true }
