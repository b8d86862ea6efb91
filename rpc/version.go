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
	lite                bool // milvus-lite, with version numbers of its own; not the suffix -lite of PyPI's milvus
}

// oldest is the oldest Milvus whose index progress counts all rows: 2.2.4 to 2.2.8 leave
// out rows newer than the index (internal/indexcoord/index_coord.go).
var oldest = version{major: 2, minor: 2, patch: 9}

var (
	releaseForm = regexp.MustCompile(`^v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})(?:$|[-+.])`)
	liteForm    = regexp.MustCompile(`^milvus_lite-(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?`)

	// describeForm is the mark of git describe for a build some commits after a release.
	// It may have the changes of any newer release.
	describeForm = regexp.MustCompile(`-\d+-g[0-9a-f]{7,}`)
)

// parseVersion returns the version in the text of GetVersion, such as "v2.2.16", "2.3.5",
// "v2.6.0-dev" or "milvus_lite-3.2.2". It is the zero version if the text has another form,
// as on custom builds, and on the 2.3.0 of PyPI.
func parseVersion(text string) version {
	numbers, lite := liteForm.FindStringSubmatch(text), true
	if numbers == nil {
		numbers, lite = releaseForm.FindStringSubmatch(text), false
	}
	if numbers == nil || describeForm.MatchString(text) {
		return version{}
	}

	// The form allows four digits, so Atoi fails only for a missing patch of milvus-lite.
	v := version{lite: lite}
	v.major, _ = strconv.Atoi(numbers[1])
	v.minor, _ = strconv.Atoi(numbers[2])
	v.patch, _ = strconv.Atoi(numbers[3])
	return v
}

// String returns the version in Milvus' form, such as "v2.2.8".
func (v version) String() string { return fmt.Sprintf("v%d.%d.%d", v.major, v.minor, v.patch) }

// olderThan reports whether v is known, and older than w. The numbers of milvus-lite cannot
// be compared with those of Milvus.
func (v version) olderThan(w version) bool {
	if v == (version{}) || v.lite != w.lite {
		return false
	}
	return cmp.Or(cmp.Compare(v.major, w.major), cmp.Compare(v.minor, w.minor), cmp.Compare(v.patch, w.patch)) < 0
}
