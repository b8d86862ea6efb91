package fakeserver

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
)

func (v *service) Connect(context.Context, *milvuspb.ConnectRequest) (*milvuspb.ConnectResponse, error) {
	answer := &milvuspb.ConnectResponse{
		Status:     new(commonpb.Status),
		ServerInfo: &commonpb.ServerInfo{BuildTags: v.s.config.Dialect.String(), DeployMode: "STANDALONE"},
	}
	if v.s.config.Dialect == MilvusLite {
		answer.ServerInfo = &commonpb.ServerInfo{BuildTags: "milvus_lite", DeployMode: "embedded"}
		return answer, nil
	}
	v.s.state.Lock()
	defer v.s.state.Unlock()
	answer.Identifier = v.s.id()
	return answer, nil
}

func (v *service) GetVersion(context.Context, *milvuspb.GetVersionRequest) (*milvuspb.GetVersionResponse, error) {
	return &milvuspb.GetVersionResponse{Status: new(commonpb.Status), Version: v.s.config.Dialect.String()}, nil
}

func (v *service) CheckHealth(context.Context, *milvuspb.CheckHealthRequest) (*milvuspb.CheckHealthResponse, error) {
	return &milvuspb.CheckHealthResponse{Status: new(commonpb.Status), IsHealthy: true}, nil
}

func (v *service) GetComponentStates(context.Context, *milvuspb.GetComponentStatesRequest) (*milvuspb.ComponentStates, error) {
	return &milvuspb.ComponentStates{
		Status: new(commonpb.Status),
		State:  &milvuspb.ComponentInfo{NodeID: 1, Role: "proxy", StateCode: commonpb.StateCode_Healthy},
	}, nil
}

func (v *service) AllocTimestamp(context.Context, *milvuspb.AllocTimestampRequest) (*milvuspb.AllocTimestampResponse, error) {
	return &milvuspb.AllocTimestampResponse{Status: new(commonpb.Status), Timestamp: tso(time.Now())}, nil
}

func (v *service) CreateDatabase(_ context.Context, req *milvuspb.CreateDatabaseRequest) (*commonpb.Status, error) {
	v.s.state.Lock()
	defer v.s.state.Unlock()
	if v.s.databases[req.GetDbName()] != nil {
		return v.s.config.Dialect.refused("database already exist: %s", req.GetDbName()).status(), nil
	}
	v.s.world.create(v.s, req.GetDbName())
	return new(commonpb.Status), nil
}

func (v *service) ListDatabases(context.Context, *milvuspb.ListDatabasesRequest) (*milvuspb.ListDatabasesResponse, error) {
	v.s.state.Lock()
	defer v.s.state.Unlock()
	databases := slices.SortedFunc(maps.Values(v.s.databases), func(a, b *Database) int { return cmp.Compare(a.name, b.name) })
	answer := &milvuspb.ListDatabasesResponse{Status: new(commonpb.Status)}
	for _, db := range databases {
		answer.DbNames = append(answer.DbNames, db.name)
		if v.s.config.Dialect == Milvus23 {
			answer.CreatedTimestamp = append(answer.CreatedTimestamp, tso(db.created))
		}
	}
	return answer, nil
}
