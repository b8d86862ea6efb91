package milvusops

import (
	"context"
	"encoding/base64"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// CreateDatabase creates a database. Calls use it whose context is from
// wire.WithDatabase.
func (c *Client) CreateDatabase(ctx context.Context, name string) error {
	return checked("CreateDatabase")(wire.CreateDatabase.Call(ctx, c.Conn, &wire.CreateDatabaseRequest{DbName: name}))
}

// CreateUser creates a user with a role of the same name, which has these privileges
// on every collection of the database.
func (c *Client) CreateUser(ctx context.Context, name, password, database string, privileges ...string) error {
	err := checked("CreateCredential")(wire.CreateCredential.Call(ctx, c.Conn, &wire.CreateCredentialRequest{
		Username: name, Password: base64.StdEncoding.EncodeToString([]byte(password)),
	}))
	if err != nil {
		return err
	}
	role := &wire.RoleEntity{Name: name}
	if err := checked("CreateRole")(wire.CreateRole.Call(ctx, c.Conn, &wire.CreateRoleRequest{Entity: role})); err != nil {
		return err
	}
	err = checked("OperateUserRole")(wire.OperateUserRole.Call(ctx, c.Conn, &wire.OperateUserRoleRequest{Username: name, RoleName: name}))
	if err != nil {
		return err
	}

	for _, privilege := range privileges {
		err := checked("OperatePrivilege")(wire.OperatePrivilege.Call(ctx, c.Conn, &wire.OperatePrivilegeRequest{Entity: &wire.GrantEntity{
			Role: role, Object: &wire.ObjectEntity{Name: "Collection"}, ObjectName: "*", DbName: database,
			Grantor: &wire.GrantorEntity{Privilege: &wire.PrivilegeEntity{Name: privilege}},
		}}))
		if err != nil {
			return err
		}
	}
	return nil
}
