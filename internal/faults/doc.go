// Package faults has tests only: waits over gRPC while something is wrong with
// the server, its process, or the network in between. Each is run with package rpc
// and with package sdk, over a real client of milvus-sdk-go, and for loads and
// indexes.
//
// What a server does wrong is tested in bubbles of testing/synctest, over
// connections in memory, where time is exact. What the network does wrong is
// tested there too, and over the loopback interface, both times on a bridge that
// breaks connections. A process of the server is killed, frozen and started again
// for real.
package faults
