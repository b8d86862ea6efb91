// Package usage measures the memory, CPU time and open files of processes.
package usage

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Usage holds the resources of a process.
type Usage struct {
	RSS         int64         // bytes in memory
	PeakRSS     int64         // maximum of RSS so far
	CPU         time.Duration // user and system time so far
	Descriptors int           // open files and sockets
}

// Of returns the resources of the process with id pid, from /proc. It works on Linux only.
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

	// The name of the program, in parentheses, may contain any character.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const user, system = 11, 12 // indexes after the name
	if len(fields) <= system {
		return u, fmt.Errorf("%sstat is %q", folder, stat)
	}

	for _, field := range []string{fields[user], fields[system]} {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return u, fmt.Errorf("%sstat: %w", folder, err)
		}
		const perSecond = 100 // USER_HZ, the unit of times in /proc
		u.CPU += time.Duration(ticks) * time.Second / perSecond
	}

	open, err := os.ReadDir(folder + "fd")
	u.Descriptors = len(open)
	return u, err
}

// LiveHeap collects garbage and returns the bytes in use in the heap of this process.
func LiveHeap() int64 {
	for range 3 { // a sync.Pool is empty after two collections
		runtime.GC()
	}

	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
