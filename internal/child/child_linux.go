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

// bind makes the program die with this process, and run in a new process group.
func bind(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if cmd.Cancel != nil {
		cmd.Cancel = func() error { return kill(cmd.Process.Pid) }
	}
}

// kill kills every process of a group. An empty group is no error.
func kill(group int) error {
	if err := syscall.Kill(-group, syscall.SIGKILL); !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

// killRest kills the remaining processes of a group whose first process has ended.
func killRest(group int) { _ = kill(group) } // an error has no remedy

// freeze stops a group and returns when every thread of it has stopped. Until then, a running
// thread could still answer a request.
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

// freezing is the maximum time for all threads to stop. No thread takes as long.
const freezing = 10 * time.Second

// stopped reports whether no thread of the group runs.
func stopped(group int) bool {
	files, _ := filepath.Glob("/proc/[0-9]*/task/[0-9]*/stat") // the pattern is valid
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}

		// The name of the program, in parentheses, may contain any character.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		const state, pgrp = 0, 2
		if fields[pgrp] == strconv.Itoa(group) && !strings.Contains("TtZX", fields[state]) {
			return false
		}
	}
	return true
}

func thaw(group int) error { return syscall.Kill(-group, syscall.SIGCONT) }
