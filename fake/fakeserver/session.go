package fakeserver

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// Connect returns the server info and, except on milvus-lite, an identifier.
func (v *service) Connect(context.Context, *wire.ConnectRequest) (*wire.ConnectResponse, error) {
	answer := &wire.ConnectResponse{
		Status:     new(wire.Status),
		ServerInfo: &wire.ServerInfo{BuildTags: v.s.config.Version, DeployMode: "STANDALONE"},
	}
	if v.s.config.Dialect == MilvusLite {
		answer.ServerInfo = &wire.ServerInfo{BuildTags: "milvus_lite", DeployMode: "embedded"}
		return answer, nil
	}

	v.s.state.Lock()
	defer v.s.state.Unlock()
	answer.Identifier = v.s.id()
	return answer, nil
}

func (v *service) GetVersion(context.Context, *wire.GetVersionRequest) (*wire.GetVersionResponse, error) {
	return &wire.GetVersionResponse{Status: new(wire.Status), Version: v.s.config.Version}, nil
}

func (v *service) CheckHealth(context.Context, *wire.CheckHealthRequest) (*wire.CheckHealthResponse, error) {
	return &wire.CheckHealthResponse{Status: new(wire.Status), IsHealthy: true}, nil
}

func (v *service) GetComponentStates(context.Context, *wire.GetComponentStatesRequest) (*wire.ComponentStates, error) {
	return &wire.ComponentStates{
		Status: new(wire.Status),
		State:  &wire.ComponentInfo{NodeID: 1, Role: "proxy", StateCode: wire.StateCode_Healthy},
	}, nil
}

func (v *service) AllocTimestamp(context.Context, *wire.AllocTimestampRequest) (*wire.AllocTimestampResponse, error) {
	return &wire.AllocTimestampResponse{Status: new(wire.Status), Timestamp: tso(time.Now())}, nil
}

func (v *service) CreateDatabase(_ context.Context, req *wire.CreateDatabaseRequest) (*wire.Status, error) {
	v.s.state.Lock()
	defer v.s.state.Unlock()
	if v.s.databases[req.GetDbName()] != nil {
		return v.s.config.Dialect.refused("database already exist: %s", req.GetDbName()).status(), nil
	}
	v.s.world.create(v.s, req.GetDbName())
	return new(wire.Status), nil
}

func (v *service) ListDatabases(context.Context, *wire.ListDatabasesRequest) (*wire.ListDatabasesResponse, error) {
	v.s.state.Lock()
	defer v.s.state.Unlock()
	databases := slices.SortedFunc(maps.Values(v.s.databases), func(a, b *Database) int { return cmp.Compare(a.name, b.name) })

	answer := &wire.ListDatabasesResponse{Status: new(wire.Status)}
	for _, db := range databases {
		answer.DbNames = append(answer.DbNames, db.name)
		if v.s.config.Dialect.since23() {
			answer.CreatedTimestamp = append(answer.CreatedTimestamp, tso(db.created))
		}
	}
	return answer, nil
}
