// Package requirements keeps in go.mod what importers need there although nothing
// else imports it.
package requirements

// milvus-sdk-go asks for a google.golang.org/genproto of the time before its rpc
// packages became a module of their own, which gRPC asks for. In a module that
// requires the SDK and this module they would be there twice, and go mod tidy would
// refuse that. This one is without them.
import _ "google.golang.org/genproto/googleapis/type/date"
