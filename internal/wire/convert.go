package wire

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
)

// Convert copies a message to a message of another Go type with the same field
// numbers. Fields missing in the other type become unknown fields of it. Both are
// protobuf messages, as Message returns them.
func Convert(from, to proto.Message) error {
	b, err := proto.Marshal(from)
	if err != nil {
		return err
	}
	return proto.Unmarshal(b, to)
}

// Message returns m as a protobuf message, or nil if it is none. go-api before v2.5
// has messages of the first Go API of protobuf.
func Message(m any) proto.Message {
	switch m := m.(type) {
	case proto.Message:
		return m
	case protoadapt.MessageV1:
		return protoadapt.MessageV2Of(m)
	}

	return nil
}
