package fakeserver

import (
	"errors"

	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// scripted returns the response for the error of a script: a failure in the body, or the
// error itself if it is one of gRPC. The responses for a failed load come from the sources
// of 2.3 and 2.2, and were not measured.
func (s *Server) scripted(err error, q question) (*failure, error) {
	s.state.Lock()
	defer s.state.Unlock()
	d := s.config.Dialect

	if server := (*milvuswait.ServerError)(nil); errors.As(err, &server) {
		return &failure{legacy: wire.ErrorCode(server.LegacyCode), code: server.Code, reason: server.Reason}, nil
	}
	if _, ok := status.FromError(err); ok {
		return nil, err
	}

	switch {
	case errors.Is(err, milvuswait.ErrNotLoaded), errors.Is(err, milvuswait.ErrReleased), errors.Is(err, milvuswait.ErrJobNotFound):
		return q.absent, nil
	case errors.Is(err, milvuswait.ErrCollectionNotFound):
		return d.collectionDropped(q.c.id, q.c.name), nil
	case errors.Is(err, milvuswait.ErrDatabaseNotFound):
		return d.databaseNotFound(q.db), nil
	case errors.Is(err, milvuswait.ErrIndexNotFound):
		return d.indexNotFound(q.c, q.index), nil
	case errors.Is(err, milvuswait.ErrLoadFailed):
		const memory = wire.ErrorCode_InsufficientMemoryToLoad
		return d.one(
			withReason(memory, 3, "show collection failed: %v", err), withReason(memory, 0, "%v", err), withReason(unexpected, 1, "%v", err),
		), nil
	}

	return d.one(withReason(unexpected, codeUnexpected, "%v", err), withReason(unexpected, 0, "%v", err), withReason(0, 1, "%v", err)), nil
}
