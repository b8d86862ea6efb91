// Package faults has tests only: waits over gRPC during faults of the server, its process,
// or the network. Each test runs with package rpc and with package sdk over a real client
// of milvus-sdk-go, for loads and for indexes.
//
// Faults of the server are tested in bubbles of testing/synctest, over connections in
// memory, with exact times. Faults of the network are tested there and over the loopback
// interface, with package bridge. A real server process is killed, frozen and restarted.
package faults
