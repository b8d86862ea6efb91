// Package e2e tests the waits on Temporal end to end: with a Temporal server and a fake
// Milvus in the test process, and workers in separate processes.
package e2e
