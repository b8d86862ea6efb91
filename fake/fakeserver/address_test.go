package fakeserver_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

func plaintext() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
}

func TestAddress_NotLoopback_IsRefused(t *testing.T) {
	for _, address := range []string{
		"0.0.0.0:0", ":0", ":19530", "[::]:0", "192.168.1.1:0", "10.0.0.1:19530", "milvus.example.com:19530", "localhost.example.com:0",
		"localhost6:0", "[::1%lo]:0", "[::ffff:10.0.0.1]:0", "0:0", "127.1:0", " 127.0.0.1:0", "169.254.1.1:0", "example", "::1",
		// other spellings of an address, and names that a resolver maps to one
		"[::ffff:0.0.0.0]:0", "[::ffff:192.168.1.1]:0", "[::127.0.0.1]:0", "[::]", "[fe80::1%lo]:0", "127.0.0.1%lo:0", "[::ffff:127.0.0.1%lo]:0",
		"2130706433:0", "0x7f000001:0", "0177.0.0.1:0", "127.0.0.01:0", "localhost.:0", "localhost.localdomain:0", "127.0.0.1.example.com:0",
		"ip6-localhost:0", "*:0", "127.0.0.1\x00.example.com:0", "224.0.0.1:0", "255.255.255.255:0",
	} {
		t.Run(address, func(t *testing.T) {
			_, err := fakeserver.Start(fakeserver.Config{Address: address})

			require.ErrorContains(t, err, "fakeserver: address ")
		})
	}
}

func TestStart_AddressNotOnLoopback_NamesTheOnesAllowed(t *testing.T) {
	_, err := fakeserver.Start(fakeserver.Config{Address: "0.0.0.0:19530"})

	require.EqualError(t, err, `fakeserver: address "0.0.0.0:19530" is not on the loopback interface: use 127.0.0.1, [::1] or localhost`)
}

func TestAddress_Loopback_IsServed(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "127.0.0.1", "127.0.0.2:0", "localhost:0", "localhost", "[::1]:0", "[::1]", "[::ffff:127.0.0.1]:0"} {
		t.Run(address, func(t *testing.T) {
			srv, err := fakeserver.Start(fakeserver.Config{Address: address})
			if err != nil && address[0] == '[' {
				t.Skip("no IPv6 here:", err)
			}
			require.NoError(t, err)
			defer srv.Close()
			host, port, err := net.SplitHostPort(srv.Address())
			require.NoError(t, err)
			require.True(t, net.ParseIP(host).IsLoopback())
			require.NotEqual(t, "0", port)

			r := loadState(t, overTCP(t, srv), "docs")

			require.Equal(t, ok, of(r.GetStatus()))
		})
	}
}

func TestStart_AddressInUse_Fails(t *testing.T) {
	first, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	require.NoError(t, err)
	defer first.Close()

	_, err = fakeserver.Start(fakeserver.Config{Address: first.Address()})

	require.ErrorContains(t, err, "address already in use")
}

func TestStart_InvalidConfig_Fails(t *testing.T) {
	_, err := fakeserver.Start(fakeserver.Config{VisibleAfter: -1})
	require.EqualError(t, err, "fakeserver: VisibleAfter: -1ns is negative")

	_, err = fakeserver.Start(fakeserver.Config{Dialect: 4})
	require.EqualError(t, err, "fakeserver: there is no dialect 4")
}
