package realserver

import (
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strings"
)

// ErrUnavailable is in the error if this machine cannot install or run a server, because
// Python or the package is missing for example. Tests are skipped then, and do not fail.
var ErrUnavailable = errors.New("real server unavailable")

// Kind is the make of a server.
type Kind string

// The kinds of servers.
const (
	Milvus Kind = "milvus"      // the standalone server: coordinators, nodes, etcd and queue in one process
	Lite   Kind = "milvus-lite" // the Milvus team's one-process server in Python
	Other  Kind = "other"       // a server that runs already; see Attach
)

// Release is a version of the package with the name of the kind. Releases are comparable.
type Release struct {
	Kind    Kind
	Version string
}

// The releases for every test. 2.3.5 is the last version of the milvus package, and 2.2.16
// the last server without error codes.
var (
	Milvus23 = Release{Milvus, "2.3.5"}
	Milvus22 = Release{Milvus, "2.2.16"}
	Lite32   = Release{Lite, "3.2.2"}
)

// Older releases with different answers.
var (
	Milvus229 = Release{Milvus, "2.2.9"} // the oldest whose indexes count all rows
	Milvus230 = Release{Milvus, "2.3.0"} // most answers without codes, partitions with others
	Milvus233 = Release{Milvus, "2.3.3"} // names in front of the texts
	Lite311   = Release{Lite, "3.1.1"}   // lists without percentages
)

// ParseRelease returns the release of a text such as "2.3.0" or "lite-3.1.1".
func ParseRelease(text string) (Release, error) {
	r := Release{Milvus, text}
	if version, lite := strings.CutPrefix(text, "lite-"); lite {
		r = Release{Lite, version}
	}
	if !releaseVersion.MatchString(r.Version) {
		return Release{}, fmt.Errorf("%q is not a release, such as 2.3.0 or lite-3.1.1", text)
	}
	return r, nil
}

var releaseVersion = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+$`)

// String returns kind and version, such as "milvus 2.3.5".
func (r Release) String() string { return strings.TrimSpace(string(r.Kind) + " " + r.Version) }

// requirements returns the packages for pip.
func (r Release) requirements() []string {
	pinned := []string{string(r.Kind) + "==" + r.Version}
	if r.Kind == Lite {
		// Its server imports the generated code of pymilvus without requiring it.
		pinned = append(pinned, "pymilvus==3.0.2")
	}
	return pinned
}

// check returns ErrUnavailable if the release has no package for this machine.
func (r Release) check() error {
	switch {
	case runtime.GOOS != "linux":
		return fmt.Errorf("%w: servers are started on Linux only, not on %s", ErrUnavailable, runtime.GOOS)
	case r.Kind == Milvus && runtime.GOARCH != "amd64":
		return fmt.Errorf("%w: %v is built for x86-64 only, not for %s", ErrUnavailable, r, runtime.GOARCH)
	case r.Kind != Milvus && r.Kind != Lite:
		return fmt.Errorf("%w: there is no package of %v", ErrUnavailable, r)
	}
	return nil
}
