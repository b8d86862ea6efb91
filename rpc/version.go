package rpc

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
)

// version is the version of a server. The zero version is unknown.
type version struct {
	major, minor, patch int
	lite                bool // milvus-lite, whose numbers differ from those of Milvus; not the suffix -lite of PyPI's milvus
	later               bool // a build after the release: it may have the changes of any later release
}

// oldest is the oldest Milvus whose index progress counts all rows: 2.2.4 to 2.2.8 leave
// out rows newer than the index (internal/indexcoord/index_coord.go).
var oldest = version{major: 2, minor: 2, patch: 9}

// streaming is the oldest Milvus that seals no segments for a flush: a growing segment
// becomes flushed without a state between (flushCollection in internal/datacoord).
var streaming = version{major: 2, minor: 6}

var (
	releaseForm = regexp.MustCompile(`^v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})(?:$|[-+.])`)
	branchForm  = regexp.MustCompile(`^v?(\d{1,4})\.(\d{1,4})()(?:$|-)`)
	liteForm    = regexp.MustCompile(`^milvus_lite-(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?`)

	// describeForm is the mark of git describe for a build some commits after a release.
	describeForm = regexp.MustCompile(`-\d+-g[0-9a-f]{7,}`)
)

// parseVersion returns the version in the text of GetVersion, such as "v2.2.16", "2.3.5",
// "v2.6.0-dev", "milvus_lite-3.2.2", or "2.6-20250801-4ef1d9b" for a build of a branch. It is
// the zero version if the text has another form, as on custom builds.
func parseVersion(text string) version {
	v := version{lite: true}
	numbers := liteForm.FindStringSubmatch(text)
	if numbers == nil {
		v = version{later: describeForm.MatchString(text)}
		numbers = releaseForm.FindStringSubmatch(text)
	}
	if numbers == nil {
		v.later = true
		numbers = branchForm.FindStringSubmatch(text)
	}
	if numbers == nil {
		return version{}
	}

	// The forms allow four digits, so Atoi fails only for a missing patch.
	v.major, _ = strconv.Atoi(numbers[1])
	v.minor, _ = strconv.Atoi(numbers[2])
	v.patch, _ = strconv.Atoi(numbers[3])
	return v
}

// String returns the version in Milvus' form, such as "v2.2.8".
func (v version) String() string { return fmt.Sprintf("v%d.%d.%d", v.major, v.minor, v.patch) }

// isKnown reports whether v is not the zero version.
func (v version) isKnown() bool { return v != version{} }

// olderThan reports whether v is known, and older than w.
func (v version) olderThan(w version) bool {
	return v.comparesWith(w) && !v.later && v.compare(w) < 0
}

// isFrom reports whether v is known, and w or newer.
func (v version) isFrom(w version) bool { return v.comparesWith(w) && v.compare(w) >= 0 }

// comparesWith reports whether v is known and counts as w does: the numbers of milvus-lite
// cannot be compared with those of Milvus.
func (v version) comparesWith(w version) bool { return v != (version{}) && v.lite == w.lite }

func (v version) compare(w version) int {
	return cmp.Or(cmp.Compare(v.major, w.major), cmp.Compare(v.minor, w.minor), cmp.Compare(v.patch, w.patch))
}
