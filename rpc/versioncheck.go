package rpc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait/internal/wire"
)

const (
	// versionPatience is how long a poll waits for GetVersion after DescribeIndex was
	// answered. Servers answer GetVersion from memory.
	versionPatience = time.Second

	// maxMissed is the number of polls that may miss the version. A gateway may drop the
	// call; a server in C++ lacks it and reports no method name.
	maxMissed = 3
)

// versionCheck finds out the version of the server: by GetVersion in parallel with
// DescribeIndex, or before a list of segments. All calls of a Poller share one, and one
// request at a time. The version of a server that is not too old is requested once. A server
// that is too old may be upgraded: each poll requests its version again.
type versionCheck struct {
	mu            sync.Mutex
	version       version
	settled       bool            // the version needs no more requests
	missed        int             // number of answered polls without an answer to their GetVersion
	pending       *versionRequest // the request in flight, or nil
	listsSegments bool            // the server has listed segments that are being flushed
	unserved      bool            // the server is in Go and has no GetVersion, as before 2.2
	wordless      bool            // the server, or a gateway, refused GetVersion without words
}

// versionRequest is a GetVersion in flight.
type versionRequest struct {
	ended  chan struct{} // closed at its end
	cancel context.CancelFunc
}

// isLite reports whether the server is known to be milvus-lite.
func (c *versionCheck) isLite() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.version.lite
}

// isWordless reports whether the server, or a gateway, refused GetVersion without words.
func (c *versionCheck) isWordless() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wordless
}

// serverVersion returns the version of the server, or the zero version. It requests the
// version if no poll of an index has found it out, and waits no longer than such a poll.
func (p *Poller) serverVersion(ctx context.Context) version {
	endVersion := p.requestVersion(ctx)
	endVersion(true)

	p.version.mu.Lock()
	defer p.version.mu.Unlock()
	return p.version.version
}

// requestVersion starts a GetVersion, unless the version is settled or another poll has
// requested it. The caller must call the returned function with whether the server has
// answered its own call: it waits for the version if so, and ends the request. Further
// calls of the function do nothing.
func (p *Poller) requestVersion(ctx context.Context) func(answered bool) {
	c := p.version
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.settled {
		return func(bool) {}
	}

	if shared := c.pending; shared != nil {
		return func(answered bool) {
			if answered {
				shared.wait(ctx)
			}
		}
	}

	asking, cancel := context.WithCancel(ctx)
	r := &versionRequest{make(chan struct{}), cancel}
	c.pending = r
	go p.makeVersionRequest(asking, r)

	var once sync.Once
	return func(answered bool) {
		once.Do(func() {
			if answered {
				r.wait(ctx)
			}
			r.cancel()
			<-r.ended
			c.note(answered)
		})
	}
}

// wait waits for the end of the request, but not longer than versionPatience.
func (r *versionRequest) wait(ctx context.Context) {
	patience := time.NewTimer(versionPatience)
	defer patience.Stop()
	select {
	case <-r.ended:
	case <-patience.C:
	case <-ctx.Done():
	}
}

// note counts a poll that has missed the version, although the server answered it.
func (c *versionCheck) note(answered bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if answered && !c.settled {
		c.missed++
		c.settled = c.missed >= maxMissed && !c.version.olderThan(oldest)
	}
}

// makeVersionRequest calls GetVersion. Its failure changes nothing, and neither does a
// panic or the end of the goroutine in a mock that does not expect the call.
func (p *Poller) makeVersionRequest(ctx context.Context, r *versionRequest) {
	var resp *wire.GetVersionResponse
	var f *failure
	defer func() {
		_ = recover()
		p.version.record(resp, f)
		close(r.ended)
	}()

	f = &failure{class: permanent, err: errors.New("panic")} // failure of a call that panics
	answer, err := call(ctx, p, wire.GetVersion, new(wire.GetVersionRequest))
	if f = checkResponse(getVersion, answer.GetStatus(), err); f == nil || answer.GetVersion() != "" {
		resp = answer
	}
}

// record keeps the result of a request: resp, or f if resp is nil.
func (c *versionCheck) record(resp *wire.GetVersionResponse, f *failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = nil

	if resp != nil {
		c.version, c.unserved, c.wordless = parseVersion(resp.GetVersion()), false, false
		c.settled = !c.version.olderThan(oldest)
		return
	}

	// A version that is known to be too old stays until the server reports another one.
	refused := f.class != transient || isStubError(f.err)
	c.unserved, c.wordless = isUnknownMethod(f.err), isWordless(f.err)
	c.settled = refused && !c.version.olderThan(oldest)
}

// isUnknownMethod reports whether err is the error of a server in Go without the method,
// as opposed to a server that has it but does not implement it.
func isUnknownMethod(err error) bool {
	return err != nil && status.Code(err) == codes.Unimplemented && strings.Contains(err.Error(), "unknown method ")
}

// checkVersion returns the lasting error for a server whose index progress is wrong, or
// nil. The other arguments are the request and the response of DescribeIndex.
func (p *Poller) checkVersion(ctx context.Context, collection string, f *failure, described []*wire.IndexDescription) error {
	c := p.version
	c.mu.Lock()
	v, unserved := c.version, c.unserved
	c.mu.Unlock()

	if v.olderThan(oldest) {
		return tooOld("Milvus " + v.String())
	}
	if unserved && looksLike21(f, described) && p.lacksProgress(ctx, collection) {
		return tooOld("Milvus before 2.2")
	}
	return nil
}

func tooOld(server string) error {
	return &lastingError{fmt.Errorf("%s: %s is too old: "+
		"2.2.9 or newer is needed, since older versions do not count rows that are newer than the index", describeIndex, server)}
}

// looksLike21 reports whether a response may be from Milvus 2.1: it reports no state and no
// rows of any index, and has one code for all failures. Other servers do so, too.
func looksLike21(f *failure, described []*wire.IndexDescription) bool {
	if f != nil {
		return f.reported != nil && f.reported.Code == 0 && f.reported.LegacyCode == legacyUnexpected
	}

	for _, d := range described {
		counted := d.GetTotalRows() != 0 || d.GetIndexedRows() != 0 || d.GetPendingIndexRows() != 0
		if counted || d.GetState() != wire.IndexState_IndexStateNone || d.GetIndexName() == "" || d.GetFieldName() == "" {
			return false
		}
	}
	return len(described) > 0
}

// lacksProgress reports whether the server has no GetLoadingProgress either, as before 2.2.
// A server that has it, such as a fake without GetVersion, is not asked again.
func (p *Poller) lacksProgress(ctx context.Context, collection string) bool {
	resp, err := call(ctx, p, wire.GetLoadingProgress, &wire.GetLoadingProgressRequest{DbName: p.database, CollectionName: collection})
	if isUnknownMethod(err) {
		return true
	}

	if f := checkResponse(getLoadingProgress, resp.GetStatus(), err); f == nil || f.reported != nil {
		p.version.mu.Lock()
		defer p.version.mu.Unlock()
		p.version.unserved = false
	}
	return false
}
