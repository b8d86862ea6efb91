package child

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// bind has the program die with this process, in a group of its own.
func bind(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if cmd.Cancel != nil {
		cmd.Cancel = func() error { return kill(cmd.Process.Pid) }
	}
}

// kill kills every process of a group, of which none may be left.
func kill(group int) error {
	if err := syscall.Kill(-group, syscall.SIGKILL); !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

// killRest kills what is left of a group whose first process has ended.
func killRest(group int) { _ = kill(group) } // there is nothing to be done about it

// freeze returns when every thread of the group has stopped: one that runs, or is in
// a call that has all it waited for, may answer something yet.
func freeze(group int) error {
	if err := syscall.Kill(-group, syscall.SIGSTOP); err != nil {
		return err
	}
	for start := time.Now(); !stopped(group); time.Sleep(time.Millisecond) {
		if time.Since(start) > freezing {
			return fmt.Errorf("process group %d runs %v after SIGSTOP", group, freezing)
		}
	}
	return nil
}

// freezing is longer than any thread takes to stop.
const freezing = 10 * time.Second

// stopped reports whether no thread of the group runs.
func stopped(group int) bool {
	files, _ := filepath.Glob("/proc/[0-9]*/task/[0-9]*/stat") // the pattern is a good one
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // gone
		}
		// The name of the program, in parentheses, may hold anything.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		const state, pgrp = 0, 2
		if fields[pgrp] == strconv.Itoa(group) && !strings.Contains("TtZX", fields[state]) {
			return false
		}
	}
	return true
}

func thaw(group int) error { return syscall.Kill(-group, syscall.SIGCONT) }
