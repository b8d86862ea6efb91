package faults_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/milvuswait/milvuswait/internal/bridge"
	"github.com/milvuswait/milvuswait/internal/milvustest"
)

// The types and flags of HTTP/2 frames for a minimal server (RFC 9113, section 6).
const (
	dataFrame     = 0
	headersFrame  = 1
	resetFrame    = 3
	settingsFrame = 4
	pingFrame     = 6

	ack        = 1 // flag of settings and pings
	endHeaders = 4
)

type frame struct {
	kind, flags byte
	stream      uint32
	payload     []byte
}

func readFrame(r io.Reader) (frame, error) {
	var head [9]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	f := frame{
		kind: head[3], flags: head[4], stream: binary.BigEndian.Uint32(head[5:]),
		payload: make([]byte, binary.BigEndian.Uint32(head[:4])>>8),
	}
	_, err := io.ReadFull(r, f.payload)
	return f, err
}

func (f frame) bytes() []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(f.payload))<<8|uint32(f.kind))
	b = append(b, f.flags)
	b = binary.BigEndian.AppendUint32(b, f.stream)
	return append(b, f.payload...)
}

// trickler is a server whose responses arrive at one byte per second and never end. It
// implements HTTP/2 itself: gRPC's server sends whole messages, and net/http's server does
// not work in bubbles before Go 1.26.
type trickler struct {
	healed chan struct{}  // closed to end the server
	calls  []uint32       // streams of all calls, in order
	sent   map[uint32]int // bytes sent for each call
}

// serve serves one connection.
func (s *trickler) serve(conn net.Conn) {
	frames, gone := make(chan frame), make(chan struct{})
	go func() {
		defer close(frames)
		r := bufio.NewReader(conn)
		_, _ = r.Discard(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")) // readFrame reports an error
		for {
			f, err := readFrame(r)
			if err != nil {
				return
			}
			select {
			case frames <- f:
			case <-gone:
				return
			}
		}
	}()

	defer close(gone)
	defer func() { _ = conn.Close() }()
	send := func(f frame) { _, _ = conn.Write(f.bytes()) } // an error also ends frames

	every := time.NewTicker(time.Second)
	defer every.Stop()
	send(frame{kind: settingsFrame})

	flying := map[uint32]bool{} // streams of the calls in flight
	for {
		select {
		case f, ok := <-frames:
			switch {
			case !ok:
				return
			case f.kind == headersFrame:
				flying[f.stream] = true
				s.calls = append(s.calls, f.stream)
				// ":status: 200" and "content-type: application/grpc" in HPACK.
				send(frame{headersFrame, endHeaders, f.stream, []byte("\x88\x0f\x10\x10application/grpc")})
				// The start of a message of 1 MiB, which is within every limit.
				send(frame{dataFrame, 0, f.stream, []byte{0, 0, 0x10, 0, 0}})
			case f.kind == resetFrame:
				delete(flying, f.stream)
			case (f.kind == settingsFrame || f.kind == pingFrame) && f.flags&ack == 0:
				if f.kind == settingsFrame {
					f.payload = nil
				}
				send(frame{f.kind, ack, 0, f.payload})
			}
		case <-every.C:
			for stream := range flying {
				send(frame{dataFrame, 0, stream, []byte{0}})
				s.sent[stream]++
			}
		case <-s.healed:
			return
		}
	}
}

// TestWait_ResponseByteByByte_TimesOut shows that a steady flow of bytes does not extend the timeout of a
// poll, and does not count as a success.
func TestWait_ResponseByteByByte_TimesOut(t *testing.T) {
	each(t, func(t *testing.T, k kind, a adapter) {
		synctest.Test(t, func(t *testing.T) {
			const heals = 80 * time.Second // during the fourth poll
			s := &trickler{healed: make(chan struct{}), sent: map[uint32]int{}}
			r := &rig{kind: k, server: newServer(func(context.Context, int) answer { return percent(100) })}

			front, back := bufconn.Listen(1<<20), bufconn.Listen(1<<20)
			milvustest.ServeOn(t, &r.server.Server, back)
			r.bridge = bridge.New(front, func(ctx context.Context) (net.Conn, error) {
				select {
				case <-s.healed:
					return back.DialContext(ctx)
				default:
				}
				client, server := net.Pipe()
				go s.serve(server)
				return client, nil
			})

			t.Cleanup(r.bridge.Close)
			r.connect(t, a, "bufconn", milvustest.Through(front)...)
			time.AfterFunc(heals, func() { close(s.healed) })
			start := time.Now()

			err := r.run(context.Background(), steadily(time.Second))
			synctest.Wait() // until sent is final

			require.NoError(t, err)
			require.GreaterOrEqual(t, time.Since(start), heals)
			require.LessOrEqual(t, time.Since(start), heals+reconnecting+time.Second)
			require.Len(t, r.failures(), 4)

			// Each DescribeIndex is accompanied by a GetVersion while the version is unknown.
			calls := 1
			if k.method == "DescribeIndex" {
				calls = 2
			}
			require.Len(t, s.calls, 4*calls)
			for i, limit := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second} {
				require.ErrorContains(t, r.failures()[i], "poll timed out after "+limit.String()+": ")
				require.Equal(t, codes.DeadlineExceeded, status.Code(r.failures()[i]))
				for _, stream := range s.calls[i*calls : (i+1)*calls] {
					require.InDelta(t, limit.Seconds(), s.sent[stream], 1)
				}
			}
			require.Equal(t, codes.Unavailable, status.Code(r.failures()[3]))
			require.Len(t, r.server.seen(), 1)
			require.Equal(t, 2, r.bridge.Accepted(), "the one to the server that trickles, and the one to the other")
		})
	})
}
