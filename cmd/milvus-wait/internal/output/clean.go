package output

import (
	"io"
	"strings"

	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// longest is the greatest length of a line or of a text in JSON. What a server says,
// and names, are cut by themselves, to a fraction of it: what would be lost here is
// the end of the line, and with it the reason.
const longest = 16 << 10

// clean returns text made of several that a server or a name may have a part in.
func clean(s string) string { return untrusted.Cut(s, longest) }

// Line writes s on one line that holds nothing a terminal or the runner of a CI
// could obey.
func Line(w io.Writer, s string) {
	s = commands.Replace(clean(s))
	if strings.HasPrefix(strings.TrimSpace(s), "::") {
		s = "'" + s
	}
	write(w, s)
}

// commands takes the meaning from what GitHub, Azure and TeamCity obey anywhere in
// a line. GitHub obeys "::" too, where a line begins.
var commands = strings.NewReplacer("##[", "## [", "##vso[", "##vso [", "##teamcity[", "##teamcity [")

// write writes a line in one write, so that lines of several writers do not mix.
func write(w io.Writer, line string) { _, _ = io.WriteString(w, line+"\n") }
