package rpc

import (
	"context"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/wire"
)

var _ milvuswait.ServerChecker = (*Poller)(nil)

// CheckServer calls ShowCollections for the collections in memory, and returns nil if the
// server answers it. Every server has the call, and the proxy of Milvus answers it when its
// coordinators do: on a real 2.2.16 that started, within 12 ms of the first healthy
// GetComponentStates, while the port had been open for 10 s.
//
// The database of WithDatabase is not in the call, and one that does not exist is no
// failure: a program may create it once the server answers.
//
//   - Permanent: refused credentials, or a missing permission.
//   - errors.ErrUnsupported: the stub lacks the call.
//
// All other failures are transient, whatever they are about.
func (p *Poller) CheckServer(ctx context.Context) error {
	if err := p.check(); err != nil {
		return err
	}

	resp, err := wire.ShowCollections.Call(ctx, p.conn, &wire.ShowCollectionsRequest{Type: wire.ShowType_InMemory})
	f := checkResponse(showCollections, resp.GetStatus(), err)
	if f == nil || f.class == databaseNotFound {
		return nil
	}
	if f.class == undecided || f.class.isAboutObject() {
		f.class = transient
	}
	return f.error(ctx)
}
