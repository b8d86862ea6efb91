package output

import (
	"io"
	"strings"

	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// longest is the maximum length of a line or of a text in JSON. Names and texts of a server
// are cut to a fraction of it before, because a cut here loses the end of the line, and with
// it the reason.
const longest = 16 << 10

// clean returns a text composed of names and texts of a server, fit for a terminal.
func clean(s string) string { return untrusted.Cut(s, longest) }

// Line writes s on one line, without commands to a terminal or to the runner of a CI.
func Line(w io.Writer, s string) {
	s = commands.Replace(clean(s))
	if strings.HasPrefix(strings.TrimSpace(s), "::") {
		s = "'" + s
	}
	write(w, s)
}

// commands breaks the commands to GitHub, Azure and TeamCity anywhere in a line. GitHub also
// obeys "::" at the beginning of a line.
var commands = strings.NewReplacer("##[", "## [", "##vso[", "##vso [", "##teamcity[", "##teamcity [")

// write writes a line by one call, so that lines of several writers do not mix.
func write(w io.Writer, line string) { _, _ = io.WriteString(w, line+"\n") }
