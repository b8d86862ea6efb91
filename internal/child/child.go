// Package child starts programs that die with this process, and that leave none of
// the processes that they have started when they end. It does so on Linux;
// elsewhere a program may outlive this process, and others may outlive the program.
package child

import (
	"os"
	"os/exec"
	"runtime"
)

// Process is a program that runs until it ends, is killed, or this process ends,
// however it does. What the program has started ends with it in the first two cases
// only: then somebody is there to see to it.
type Process struct {
	pid    int
	exited chan struct{} // closed when it has
	err    error         // how, when exited is closed
}

// Start starts the program in a process group of its own, which a done context of
// cmd kills.
func Start(cmd *exec.Cmd) (*Process, error) {
	bind(cmd)
	p := &Process{exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel kills the program when the thread that started it ends, not
		// the process: this one lives as long as the program.
		runtime.LockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			killRest(p.pid)
			close(p.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// PID returns the id of the process.
func (p *Process) PID() int { return p.pid }

// Exited returns a channel that is closed when the program has ended, and every
// process that it started has been told to.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Wait returns how the program has ended, when it has.
func (p *Process) Wait() error {
	<-p.exited
	return p.err
}

// Kill ends the program and every process that it started, frozen ones too, and
// returns when it has ended.
func (p *Process) Kill() error {
	if p.ended() {
		return nil
	}
	if err := kill(p.pid); err != nil {
		return err
	}
	<-p.exited
	return nil
}

// Freeze stops the program and every process that it started, until Thaw: they
// stay as they are, and do nothing.
func (p *Process) Freeze() error {
	if p.ended() {
		return os.ErrProcessDone
	}
	return freeze(p.pid)
}

// Thaw has what was frozen go on.
func (p *Process) Thaw() error {
	if p.ended() {
		return os.ErrProcessDone
	}
	return thaw(p.pid)
}

func (p *Process) ended() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}
