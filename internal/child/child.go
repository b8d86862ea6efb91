// Package child starts programs that die with this process. When a program ends, the
// processes it has started are killed. Both hold on Linux only; elsewhere a program may
// outlive this process, and its children may outlive the program.
package child

import (
	"os"
	"os/exec"
	"runtime"
)

// Process is a running program. It ends by itself, by Kill, or with this process, however
// this process ends. Its children end with it in the first two cases only: this process
// kills them.
type Process struct {
	pid    int
	exited chan struct{} // closed when the program has ended
	err    error         // result of the program; valid when exited is closed
}

// Start starts the program in a new process group. If the context of cmd is done, the whole
// group is killed.
func Start(cmd *exec.Cmd) (*Process, error) {
	bind(cmd)
	p := &Process{exited: make(chan struct{})}
	started := make(chan error)

	go func() {
		// The kernel kills the program when the thread that started it ends, not the
		// process. So this thread must live as long as the program.
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

// Exited returns a channel that is closed when the program has ended and its children have
// been killed.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Wait waits for the end of the program and returns its result, like exec.Cmd.Wait.
func (p *Process) Wait() error {
	<-p.exited
	return p.err
}

// Kill kills the program and its children, frozen ones included. It returns when the program
// has ended.
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

// Freeze stops the program and its children until Thaw. They keep their state, and do not
// run.
func (p *Process) Freeze() error {
	if p.ended() {
		return os.ErrProcessDone
	}
	return freeze(p.pid)
}

// Thaw continues the frozen processes.
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
