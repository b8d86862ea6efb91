package milvustest

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// DNSServer answers DNS queries for A and AAAA records.
type DNSServer struct {
	mu    sync.Mutex
	names map[string][]netip.Addr // key: name with the final dot
}

// Set makes the name, which ends with a dot, the only one that resolves.
func (s *DNSServer) Set(name string, addresses ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.names = map[string][]netip.Addr{name: nil}
	for _, a := range addresses {
		s.names[name] = append(s.names[name], netip.MustParseAddr(a))
	}
}

// answer returns the response to a query with one question (RFC 1035, section 4).
func (s *DNSServer) answer(query []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()

	var name strings.Builder
	end := 12
	for query[end] != 0 {
		label := query[end+1 : end+1+int(query[end])]
		name.Write(append(slices.Clone(label), '.'))
		end += 1 + len(label)
	}
	end += 5 // zero label, type and class
	addresses, found := s.names[name.String()]

	const recursive, noSuchName, typeA, typeAAAA = 0x8180, 3, 1, 28
	var records []byte
	count := uint16(0)
	for _, a := range addresses {
		wanted := uint16(typeA)
		if a.Is6() {
			wanted = typeAAAA
		}
		if binary.BigEndian.Uint16(query[end-4:]) == wanted {
			count++
			records = append(records, 0xc0, 12) // pointer to the name in the question
			records = append(records, query[end-4:end]...)
			records = append(records, 0, 0, 0, 0, 0, byte(a.BitLen()/8)) // time to live, length
			records = append(records, a.AsSlice()...)
		}
	}

	flags := uint16(recursive)
	if !found {
		flags |= noSuchName
	}

	response := slices.Clone(query[:2])
	for _, field := range []uint16{flags, 1, count, 0, 0} {
		response = binary.BigEndian.AppendUint16(response, field)
	}
	return append(append(response, query[12:end]...), records...)
}

// Dial connects to the server by a pipe, with the format of DNS over TCP. It is the Dial
// of a net.Resolver.
func (s *DNSServer) Dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		for {
			var length [2]byte
			if _, err := io.ReadFull(server, length[:]); err != nil {
				return
			}

			query := make([]byte, binary.BigEndian.Uint16(length[:]))
			if _, err := io.ReadFull(server, query); err != nil {
				return
			}

			response := s.answer(query)
			if _, err := server.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(response))), response...)); err != nil {
				return
			}
		}
	}()
	return client, nil
}

// Listen serves on loopback until the test ends, and returns the address.
func (s *DNSServer) Listen(t *testing.T) string {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)

	var done sync.WaitGroup
	done.Go(func() {
		query := make([]byte, 4096)
		for {
			length, from, err := socket.ReadFrom(query)
			if err != nil {
				return
			}
			_, _ = socket.WriteTo(s.answer(query[:length]), from)
		}
	})

	t.Cleanup(func() {
		require.NoError(t, socket.Close())
		done.Wait()
	})
	return socket.LocalAddr().String()
}
