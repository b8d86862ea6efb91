// Package usage tells what processes have of the machine.
package usage

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process has of the machine.
type Usage struct {
	RSS         int64         // bytes in memory
	PeakRSS     int64         // the most of it so far
	CPU         time.Duration // user and system time so far
	Descriptors int           // open files and sockets
}

// Of returns what the process with that id has, as Linux tells it.
func Of(pid int) (Usage, error) {
	folder := fmt.Sprintf("/proc/%d/", pid)
	var u Usage
	status, err := os.ReadFile(folder + "status")
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		kilobytes, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			u.RSS = kilobytes << 10
		case "VmHWM":
			u.PeakRSS = kilobytes << 10
		}
	}
	stat, err := os.ReadFile(folder + "stat")
	if err != nil {
		return u, err
	}
	// The name of the program, in parentheses, may hold anything.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const user, system = 11, 12 // counted from behind the name
	if len(fields) <= system {
		return u, fmt.Errorf("%sstat is %q", folder, stat)
	}
	for _, field := range []string{fields[user], fields[system]} {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return u, fmt.Errorf("%sstat: %w", folder, err)
		}
		const perSecond = 100 // of the ticks that Linux tells programs of
		u.CPU += time.Duration(ticks) * time.Second / perSecond
	}
	open, err := os.ReadDir(folder + "fd")
	u.Descriptors = len(open)
	return u, err
}

// LiveHeap returns the bytes of this process' heap that are in use after a
// collection.
func LiveHeap() int64 {
	for range 3 { // pools need two to be emptied
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
