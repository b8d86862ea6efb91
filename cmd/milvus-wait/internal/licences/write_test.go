package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const page = "../../THIRD_PARTY.md"

func TestCommittedListIsCurrent(t *testing.T) {
	want, err := Write()
	require.NoError(t, err)

	got, err := os.ReadFile(page)

	require.NoError(t, err)
	require.Equal(t, want, string(got), "run make licences")
}

// TestCommittedList_HasEveryLinkedModule reads the modules from a binary, not from the
// list of packages.
func TestCommittedList_HasEveryLinkedModule(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "milvus-wait")
	out, err := exec.Command("go", "build", "-o", binary, Command).CombinedOutput()
	require.NoError(t, err, string(out))
	info, err := buildinfo.ReadFile(binary)
	require.NoError(t, err)
	list, err := os.ReadFile(page)
	require.NoError(t, err)

	require.Greater(t, len(info.Deps), 10)
	for _, m := range info.Deps {
		require.Nil(t, m.Replace)
		require.Regexp(t, fmt.Sprintf(`(?m)^\| %s \| %s \| [A-Z][A-Za-z0-9.-]+ \|$`, m.Path, m.Version), string(list))
	}
}

// A module under any other licence needs a review first.
func TestKind(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"Apache", "  Apache License\n  Version 2.0, January 2004", "Apache-2.0"},
		{"MIT", "Permission is hereby granted, free of\ncharge, … The above copyright notice and this permission notice shall be included", "MIT"},
		{"BSD with three clauses", "Redistribution and use in source and binary forms … Neither the name", "BSD-3-Clause"},
		{"BSD with two clauses", "Redistribution and use in source and binary forms", "BSD-2-Clause"},
		{"Unlicense", "This is free and unencumbered software released into the public domain.", "Unlicense"},
		{"GPL", "GNU GENERAL PUBLIC LICENSE Version 3, 29 June 2007", ""},
		{"MPL", "Mozilla Public License Version 2.0", ""},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, Kind(tt.text))
		})
	}
}

func TestModules_UnknownLicence_IsRefused(t *testing.T) {
	empty := Module{Path: "example.com/m", Dir: t.TempDir()}
	require.EqualError(t, empty.read(), "example.com/m has no licence")

	other := Module{Path: "example.com/m", Dir: t.TempDir()}
	require.NoError(t, os.WriteFile(filepath.Join(other.Dir, "COPYING"), []byte("all rights reserved"), 0o600))
	require.EqualError(t, other.read(), "example.com/m: COPYING is no licence that is known here")

	noted := Module{Path: "example.com/m", Dir: t.TempDir()}
	for name, text := range map[string]string{"LICENSE": "Apache License\nVersion 2.0, January 2004", "NOTICE.txt": "by somebody \n"} {
		require.NoError(t, os.WriteFile(filepath.Join(noted.Dir, name), []byte(text), 0o600))
	}
	require.NoError(t, noted.read())
	require.Equal(t, "Apache-2.0", noted.Kind)
	require.Equal(t, "by somebody", strings.Join(noted.Texts[1:], ""))
}
