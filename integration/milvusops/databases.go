package milvusops

import (
	"context"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// CreateDatabase creates a database. Calls whose context is from wire.WithDatabase use
// it.
func (c *Client) CreateDatabase(ctx context.Context, name string) error {
	return checked("CreateDatabase")(wire.CreateDatabase.Call(ctx, c.Conn, &wire.CreateDatabaseRequest{DbName: name}))
}
