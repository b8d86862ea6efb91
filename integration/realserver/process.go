package realserver

import (
	"os/exec"
	"runtime"
)

// process is a program that runs until it ends, is killed, or this process ends,
// however it does.
type process struct {
	pid    int
	exited chan struct{} // closed when it has
	err    error         // how, when exited is closed
}

// start starts the program in a process group of its own, which a done context of
// cmd kills.
func start(cmd *exec.Cmd) (*process, error) {
	bind(cmd)
	p := &process{exited: make(chan struct{})}
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
			close(p.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// kill ends the program and every process that it started, and returns when it
// has ended.
func (p *process) kill() error {
	select {
	case <-p.exited:
		return nil
	default:
	}
	if err := killGroup(p.pid); err != nil {
		return err
	}
	<-p.exited
	return nil
}
