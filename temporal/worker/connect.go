package main

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/milvuswait/milvuswait/rpc"
)

// connect returns a connection to a server, such as http://127.0.0.1:19530. It does not wait
// until the connection is established.
func connect(uri, token string) (*grpc.ClientConn, error) {
	u, err := url.Parse(uri)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		// Do not print the address: it may contain a password.
		return nil, errors.New("invalid address of Milvus: must be like http://127.0.0.1:19530 or https://example.com:443")
	}

	port := u.Port()
	transport := insecure.NewCredentials()
	if u.Scheme == "https" {
		transport = credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})
	}
	if port == "" {
		port = map[string]string{"http": "19530", "https": "443"}[u.Scheme]
	}

	options := append(rpc.DialOptions(), grpc.WithTransportCredentials(transport))
	if token != "" {
		if u.Scheme == "http" && !isLoopback(u.Hostname()) {
			return nil, fmt.Errorf("MILVUS_TOKEN is not sent in plain text to %s: use https://", u.Host)
		}
		options = append(options, grpc.WithPerRPCCredentials(authorization(token)))
	}
	return grpc.NewClient(net.JoinHostPort(u.Hostname(), port), options...)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// authorization sends a token in the header that Milvus reads.
type authorization string

func (a authorization) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": base64.StdEncoding.EncodeToString([]byte(a))}, nil
}

// RequireTransportSecurity returns false: connect allows plain text to this machine only.
func (a authorization) RequireTransportSecurity() bool { return false }
