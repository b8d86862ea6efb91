package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// Size of the terminal. Empty lines at the bottom are not drawn.
const (
	columns = 104
	lines   = 24
)

// build builds milvus-wait in dir.
func build(ctx context.Context, dir string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", dir, "github.com/milvuswait/milvuswait/cmd/milvus-wait")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

// record runs the demo of the milvus-wait in dir. It returns two screens: one after a target
// has failed, with others under way, and one at the end.
func record(ctx context.Context, dir string) ([]screen, error) {
	shell := exec.CommandContext(ctx, "sh")
	shell.Env = []string{"PATH=" + dir, "TERM=xterm-256color", "PS1=$ "}
	tty, err := pty.StartWithSize(shell, &pty.Winsize{Cols: columns, Rows: lines})
	if err != nil {
		return nil, err
	}
	defer func() {
		_ = tty.Close() // hangs up the shell and the demo in it
		_ = shell.Wait()
	}()

	terminal := vt10x.New(vt10x.WithSize(columns, lines))
	var screens []screen
	for _, step := range []struct {
		until string // text on the screen at the end of the step
		keep  string // title of the screen to return, or ""
		enter string // input after the step
	}{
		{until: "$ ", enter: "milvus-wait demo --fail; echo $?\n"},
		{until: "1 failed", keep: "after 5 s"},
		{until: "\n1\n$ ", keep: "at the end"},
	} {
		if err := read(tty, terminal, step.until); err != nil {
			return nil, fmt.Errorf("waiting for %q on the terminal: %w", step.until, err)
		}

		if step.keep != "" {
			screens = append(screens, capture(step.keep, terminal))
		}
		if _, err := tty.WriteString(step.enter); err != nil {
			return nil, err
		}
	}
	return screens, nil
}

// read copies the output of the shell to the terminal until the screen contains text.
func read(tty *os.File, terminal vt10x.Terminal, text string) error {
	buffer := make([]byte, 4096)
	for !strings.Contains(contents(terminal), text) {
		n, err := tty.Read(buffer)
		if err != nil {
			return err
		}
		if _, err := terminal.Write(buffer[:n]); err != nil {
			return err
		}
	}
	return nil
}

// contents returns the text on the screen without spaces at the ends of lines, except before
// the cursor.
func contents(terminal vt10x.Terminal) string {
	cursor := terminal.Cursor()
	rows := strings.Split(terminal.String(), "\n")
	for i, row := range rows {
		rows[i] = strings.TrimRight(row, " ")
		if i == cursor.Y {
			rows[i] = row[:cursor.X]
		}
	}
	return strings.Join(rows, "\n")
}
