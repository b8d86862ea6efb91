package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Command is the package of the command.
const Command = "github.com/milvuswait/milvuswait/cmd/milvus-wait"

// Platforms of the binaries in the Makefile.
var (
	systems       = []string{"linux", "darwin", "windows"}
	architectures = []string{"amd64", "arm64"}
)

// A Module is linked into the command.
type Module struct {
	Path, Version, Dir string
	Kind               string   // licence, by its identifier in SPDX
	Texts              []string // texts of the licence and of notices
}

const preface = `# Modules linked into milvus-wait

This page lists the modules with code in the binaries of milvus-wait for Linux, macOS and Windows, and their licences. The
licence of milvus-wait itself is Apache-2.0, in LICENSE. ` + "`make licences`" + ` writes this page from the modules' own files, and
both go with the binaries. The versions are those of go.mod. The version of the Go standard library is the compiler's:
` + "`go version -m`" + ` prints it.

`

// Write returns the page. It needs the modules, but no network.
func Write() (string, error) {
	modules, err := Linked()
	if err != nil {
		return "", err
	}

	var b strings.Builder
	b.WriteString(preface + "| module | version | licence |\n|---|---|---|\n")
	users := make(map[string][]string) // modules by text
	for i := range modules {
		m := &modules[i]
		if err := m.read(); err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", m.Path, m.Version, m.Kind)
		for _, text := range m.Texts {
			users[text] = append(users[text], m.Path)
		}
	}

	b.WriteString("\n")
	for _, text := range slices.SortedFunc(maps.Keys(users), func(a, b string) int { return strings.Compare(users[a][0]+a, users[b][0]+b) }) {
		fmt.Fprintf(&b, "## %s\n\n```text\n%s\n```\n\n", strings.Join(users[text], ", "), text)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// Linked returns the modules linked into the command on any platform: first the standard
// library, then the others by name.
func Linked() ([]Module, error) {
	linked := make(map[string]Module)
	for i := range len(systems) * len(architectures) {
		system, architecture := systems[i/len(architectures)], architectures[i%len(architectures)]
		cmd := exec.Command("go", "list", "-deps", "-json=Module", Command)
		cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+architecture, "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("listing for %s/%s: %w%s", system, architecture, err, stderr(err))
		}

		for list := json.NewDecoder(strings.NewReader(string(out))); list.More(); {
			var p struct {
				Module *struct {
					Module
					Main bool
				}
			}
			if err := list.Decode(&p); err != nil {
				return nil, err
			}
			if p.Module != nil && !p.Module.Main {
				linked[p.Module.Path] = p.Module.Module
			}
		}
	}

	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}

	modules := []Module{{Path: "Go standard library", Dir: strings.TrimSpace(string(root))}}
	for _, path := range slices.Sorted(maps.Keys(linked)) {
		modules = append(modules, linked[path])
	}
	return modules, nil
}

// stderr returns the output of a failed program for an error text.
func stderr(err error) string {
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return ": " + string(failed.Stderr)
	}
	return ""
}

var (
	licenceFile = regexp.MustCompile(`(?i)^(un)?licen[cs]e(\.(txt|md))?$|^copying(\.(txt|md))?$`)
	noticeFile  = regexp.MustCompile(`(?i)^notice(\.(txt|md))?$`)
)

// read finds the texts of m and the kind of its licence.
func (m *Module) read() error {
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || !licenceFile.MatchString(name) && !noticeFile.MatchString(name) {
			continue
		}

		b, err := os.ReadFile(filepath.Join(m.Dir, name))
		if err != nil {
			return err
		}
		text := tidy(string(b))
		m.Texts = append(m.Texts, text)
		if licenceFile.MatchString(name) {
			if m.Kind = Kind(text); m.Kind == "" {
				return fmt.Errorf("%s: %s is no licence that is known here", m.Path, name)
			}
		}
	}

	if m.Kind == "" {
		return fmt.Errorf("%s has no licence", m.Path)
	}
	return nil
}

// Kind returns the licence of a text by its identifier in SPDX, or "" if it is unknown.
func Kind(text string) string {
	words := strings.Join(strings.Fields(text), " ")
	has := func(part string) bool { return strings.Contains(words, part) }
	switch {
	case has("Apache License Version 2.0, January 2004"):
		return "Apache-2.0"
	case has("Permission is hereby granted, free of charge") && has("The above copyright notice and this permission notice shall be included"):
		return "MIT"
	case has("Redistribution and use in source and binary forms") && has("Neither the name"):
		return "BSD-3-Clause"
	case has("Redistribution and use in source and binary forms"):
		return "BSD-2-Clause"
	case has("This is free and unencumbered software released into the public domain"):
		return "Unlicense"
	}
	return ""
}

// tidy returns the text without spaces at the ends of lines.
func tidy(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t\f")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}
