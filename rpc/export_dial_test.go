package rpc

import (
	"context"

	"google.golang.org/grpc/resolver"
)

// NewDNSBuilder returns the resolver builder of DialOptions with another lookup function.
func NewDNSBuilder(lookup func(ctx context.Context, host string) ([]string, error)) resolver.Builder {
	return dnsBuilder{lookup: lookup}
}
