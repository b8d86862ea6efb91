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

// The size of the terminal. What stays empty below is not drawn.
const (
	columns = 104
	lines   = 24
)

// build makes milvus-wait in dir.
func build(ctx context.Context, dir string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", dir, "github.com/milvuswait/milvuswait/cmd/milvus-wait")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

// record runs the demo of the milvus-wait in dir and returns the screen when one
// target has failed and others are under way, and that at the end.
func record(ctx context.Context, dir string) ([]screen, error) {
	shell := exec.CommandContext(ctx, "sh")
	shell.Env = []string{"PATH=" + dir, "TERM=xterm-256color", "PS1=$ "}
	tty, err := pty.StartWithSize(shell, &pty.Winsize{Cols: columns, Rows: lines})
	if err != nil {
		return nil, err
	}
	defer func() {
		_ = tty.Close() // the shell, and what runs in it, hang up
		_ = shell.Wait()
	}()
	terminal := vt10x.New(vt10x.WithSize(columns, lines))
	var screens []screen
	for _, step := range []struct {
		until string // is on the screen
		keep  string // the screen under that title
		enter string // afterwards
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

// read has the terminal show what the shell writes, until it shows text.
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

// contents returns what the terminal shows, without the spaces at the ends of
// lines except before the cursor.
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
