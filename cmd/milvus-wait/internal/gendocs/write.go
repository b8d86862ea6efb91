package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/cli"
)

const preface = `# The manual of milvus-wait

This is the text of ` + "`--help`" + `, written by make docs. The output of the command, with every field of its JSON, is in
[output.md](output.md).

`

// Write writes milvus-wait.md and man/*.1 into dir.
func Write(dir string) error {
	root := cli.Root()
	// Cobra adds these when a command runs.
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	root.InitDefaultVersionFlag()
	root.Version = ""
	hideShells(root)
	keepTables(root)

	man := filepath.Join(dir, "man")
	if err := os.MkdirAll(man, 0o755); err != nil {
		return err
	}

	b := bytes.NewBufferString(preface)
	if err := markdown(b, root); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "milvus-wait.md"), tidy(b.Bytes()), 0o644); err != nil {
		return err
	}
	return manPages(man, root)
}

// hideShells leaves the commands below completion out: their text is cobra's, the same in
// every program, and their --help has it.
func hideShells(root *cobra.Command) {
	completion, _, _ := root.Find([]string{"completion"})
	for _, shell := range completion.Commands() {
		shell.Hidden = true
	}
}

// manPages writes a page for cmd and for each command below it. The pages have no date, so
// that they change only with their text.
func manPages(dir string, cmd *cobra.Command) error {
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && !c.IsAdditionalHelpTopicCommand() {
			if err := manPages(dir, c); err != nil {
				return err
			}
		}
	}

	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
	epoch := time.Unix(0, 0).UTC()
	header := &doc.GenManHeader{Title: strings.ToUpper(name), Section: "1", Source: "milvus-wait", Manual: "milvus-wait", Date: &epoch}

	var b bytes.Buffer
	if err := doc.GenMan(cmd, header, &b); err != nil {
		return err
	}
	page := bytes.Replace(b.Bytes(), []byte(epoch.Format(`"Jan 2006"`)), []byte(`""`), 1)
	return os.WriteFile(filepath.Join(dir, name+".1"), page, 0o644)
}

var table = regexp.MustCompile(`(?m)(^ .*\n?)+`)

// keepTables marks indented lines as literal text of Markdown. Both generators read
// Markdown and would join the lines.
func keepTables(cmd *cobra.Command) {
	cmd.Long = table.ReplaceAllStringFunc(cmd.Long, func(lines string) string {
		lines = strings.TrimSuffix(lines, "\n")
		return "\n    " + strings.ReplaceAll(lines, "\n", "\n    ") + "\n\n"
	})
	for _, c := range cmd.Commands() {
		keepTables(c)
	}
}

var inherited = regexp.MustCompile("(?s)### Options inherited from parent commands\n\n```.*?```\n")

// markdown writes cmd and all commands below it as one document.
func markdown(b *bytes.Buffer, cmd *cobra.Command) error {
	anchor := func(file string) string {
		return "#" + strings.ReplaceAll(strings.TrimSuffix(file, ".md"), "_", "-")
	}
	var own bytes.Buffer
	if err := doc.GenMarkdownCustom(cmd, &own, anchor); err != nil {
		return err
	}

	b.Write(inherited.ReplaceAll(own.Bytes(), []byte("The options of [milvus-wait](#milvus-wait) go with it too.\n")))
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && !c.IsAdditionalHelpTopicCommand() {
			if err := markdown(b, c); err != nil {
				return err
			}
		}
	}
	return nil
}

var blankLines = regexp.MustCompile(`\n{3,}`)

// tidy removes repeated blank lines, and spaces at the ends of lines.
func tidy(b []byte) []byte {
	lines := strings.Split(string(b), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t")
	}
	return []byte(blankLines.ReplaceAllString(strings.TrimSpace(strings.Join(lines, "\n")), "\n\n") + "\n")
}
