// Package cli has the commands of milvus-wait.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/output"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/patient"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/secret"
)

// Streams are the input, the outputs and the environment of a command.
type Streams struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
}

// System returns the streams of the process.
func System() Streams {
	return Streams{os.Stdin, os.Stdout, os.Stderr, os.Getenv}
}

// Main runs the command named by args and returns its exit code. It handles the signals
// of the process meanwhile.
func Main(args []string, streams Streams) (code int) {
	ctx, stop := untilSignal(context.Background())
	defer stop()

	a := &app{Streams: streams, line: args, result: patient.NewWriter(ctx, streams.Stdout), messages: patient.NewWriter(ctx, streams.Stderr)}
	a.Stderr = a.messages

	// Go's own exit code for a panic is 2, which is the code of usage errors here.
	defer func() {
		if bug := recover(); bug != nil {
			output.Line(a.Stderr, a.mask.Text(fmt.Sprintf("milvus-wait: this is a bug: %v", bug)))
			for line := range strings.Lines(string(debug.Stack())) {
				output.Line(a.Stderr, a.mask.Text(line))
			}
			code = exit.Failed
		}
	}()

	root := a.root()
	root.SetArgs(args)
	root.SetIn(streams.Stdin)
	root.SetOut(a.result)
	root.SetErr(a.Stderr)
	addHelpers(root)

	code = a.end(a.execute(ctx, root))
	if err := a.result.Err(); err != nil {
		output.Line(a.Stderr, fmt.Sprintf("milvus-wait: the result was not written: %v", err))
		if code == exit.Done {
			code = exit.Code(err)
		}
	}
	if code != exit.Done {
		code = exit.Interrupted(code, a.result.Err(), a.messages.Err())
	}

	if code == exit.Done && len(a.then) > 0 {
		return a.runCommand(ctx, stop)
	}
	return code
}

// end reports err, unless it is reported already, and returns the exit code.
func (a *app) end(err error) int {
	var reported *reportedError
	switch {
	case err == nil, a.result.Err() != nil && !a.ran: // Main reports that the help was not written
		return exit.Done
	case errors.As(err, &reported):
		return reported.code
	case !a.ran:
		err = exit.AsUsage(err) // cobra's error about flags or commands
	}

	code := exit.Code(err)
	c := a.output
	c.Stdout, c.Stderr = a.result, a.Stderr
	c.Fail(output.Report{Err: a.mask.Error(err), Code: code})
	if code == exit.Usage {
		output.Line(a.Stderr, "milvus-wait: see milvus-wait --help")
	}
	return code
}

// app is one run of the command.
type app struct {
	Streams
	line     []string        // all arguments of the process
	result   *patient.Writer // writer to Stdout
	messages *patient.Writer // writer to the original Stderr; it replaces Stderr
	global   globalFlags
	output   output.Config // zero until configure
	mask     secret.Mask   // zero until the token is read
	ran      bool          // cobra accepted the arguments
	then     []string      // command to run after success; empty for none

	unhelpful error // reason for the missing help
}

// A reportedError ends a command with a complete report.
type reportedError struct{ code int }

func (e *reportedError) Error() string { return "reported" }

// run returns f as the function of a cobra command that does not wait.
func (a *app) run(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		return a.runAlways(func(ctx context.Context, args []string) error {
			if len(beforeDash(cmd, args)) < len(args) {
				return exit.Usagef("%s runs no command after --", cmd.CommandPath())
			}
			return f(ctx, args)
		})(cmd, args)
	}
}

// runAlways returns f as the function of a cobra command. Use run or runThen.
func (a *app) runAlways(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		a.ran = true
		if err := a.configure(cmd.Flags()); err != nil {
			return err
		}
		return f(cmd.Context(), args)
	}
}
