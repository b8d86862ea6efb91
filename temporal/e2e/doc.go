// Package e2e tests the waits on Temporal end to end: on a Temporal server in the
// test process, with workers that are processes of their own, and a fake Milvus.
package e2e
