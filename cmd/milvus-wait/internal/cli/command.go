package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/output"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// Exit codes for commands that cannot be run, as of a shell.
const (
	notRunnable = 126
	notFound    = 127
)

// runThen returns f as the function of a cobra command that waits. If it takes a command
// after --, Main runs this one after success.
func (a *app) runThen(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		names := beforeDash(cmd, args)
		a.then = args[len(names):]
		return a.runAlways(func(ctx context.Context, names []string) error {
			if cmd.ArgsLenAtDash() >= 0 {
				if err := checkCommand(a.then); err != nil {
					return err
				}
			}
			return f(ctx, names)
		})(cmd, names)
	}
}

// beforeDash returns the arguments before --.
func beforeDash(cmd *cobra.Command, args []string) []string {
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		return args[:dash]
	}
	return args
}

// checkCommand returns a usage error for a command that is missing, before a long wait for
// nothing.
func checkCommand(command []string) error {
	if len(command) == 0 {
		return exit.Usagef("there is no command after --")
	}

	_, err := exec.LookPath(command[0])
	var (
		missing *exec.Error
		failed  *os.PathError // has the name once more
	)
	if errors.As(err, &missing) {
		why := missing.Err
		if errors.As(why, &failed) {
			why = failed.Err
		}
		err = &exec.Error{Name: untrusted.Text(missing.Name), Err: why}
	}
	return exit.AsUsage(asked("the command after --", err))
}

// runCommand runs the command after --, hands signals on to it, and returns its exit code. Call
// it with the function that ends the handling of signals by the context.
func (a *app) runCommand(ctx context.Context, stop func()) int {
	// From here on, signals are for the command. None is lost meanwhile: it is in ctx, in
	// signals or in both.
	signals := make(chan os.Signal, 16)
	for _, s := range endingSignals {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	defer signal.Stop(signals)
	stop()

	var early *exit.SignalError
	if errors.As(context.Cause(ctx), &early) {
		output.Line(a.Stderr, fmt.Sprintf("milvus-wait: %v: the command after -- was not run", early))
		return exit.Code(early)
	}

	cmd := exec.Command(a.then[0], a.then[1:]...) //nolint:gosec // the user's own command
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.Stdin, a.Stdout, a.messages.Unwrap()
	if err := cmd.Start(); err != nil {
		output.Line(a.Stderr, fmt.Sprintf("milvus-wait: the command after --: %v", err))
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
			return notFound
		}
		return notRunnable
	}

	ended := make(chan struct{})
	go func() {
		for {
			select {
			case s := <-signals:
				if !isOfTerminal(s) {
					_ = cmd.Process.Signal(s) // it may have ended
				}
			case <-ended:
				return
			}
		}
	}()
	err := cmd.Wait()
	close(ended)

	if cmd.ProcessState == nil {
		output.Line(a.Stderr, fmt.Sprintf("milvus-wait: the command after --: %v", err))
		return exit.Failed
	}
	return codeOfProcess(cmd.ProcessState)
}

// codeOfProcess returns the exit code of a process, or 128+n if the signal n ended it.
func codeOfProcess(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return exit.OfSignal(status.Signal())
	}
	return state.ExitCode()
}
