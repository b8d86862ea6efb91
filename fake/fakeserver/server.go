package fakeserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// Config configures a Server. The zero Config is a Milvus 2.3 that only this process can
// reach.
type Config struct {
	// Address is the address to listen on, in addition to connections in memory: 127.0.0.1,
	// [::1] or localhost. Without a port, or with port 0, the server takes a free one.
	// Empty means in memory only. Start refuses all other addresses: the fake has no
	// passwords, and must not be taken for a real server.
	Address string

	// Dialect selects the responses. The default is Milvus23.
	Dialect Dialect

	// Version is the version that GetVersion reports, such as "v2.2.8". The default is the
	// version of the dialect. The responses are those of the dialect in any case.
	Version string

	// Load is the script of loads and refreshes by clients: of LoadCollection and
	// LoadPartitions. The default takes 200 ms in two steps; for MilvusLite, it is complete
	// at once.
	Load fake.Script

	// Build returns the script for indexing the given number of rows, those of one flush. The
	// script starts when the rows are visible after their flush or, if it is later, with
	// CreateIndex. Build is called for every poll, and must return the same script for the
	// same number. The default takes 200 ms; for MilvusLite, it is complete at once.
	Build func(rows int64) fake.Script

	// Import is the script of imports by clients, with milvuswait.ImportProgress. The
	// default takes 200 ms, and knows no rows.
	Import fake.Script

	// Compact is the script of compactions by clients, of ManualCompaction, with
	// milvuswait.CompactionProgress. The default executes one plan for 200 ms.
	Compact fake.Script

	// VisibleAfter is the time from a flush until its rows are counted: 2.6 s on real
	// servers, 0 by default. Until then the segments of the flush are sealed. MilvusLite
	// ignores it: there rows are counted when Insert returns.
	VisibleAfter time.Duration
}

// Server is a fake Milvus server. [Start] makes one, and the caller must close it. It is
// safe for concurrent use.
//
// The embedded Database is the one named "default".
type Server struct {
	*Database

	config  Config
	methods map[string]method // RPCs served, by name

	life    sync.Mutex // guards the fields of this block, starts and stops
	address string     // with the actual port; "" for in memory only
	server  *grpc.Server
	memory  *bufconn.Listener // nil while stopped
	serving sync.WaitGroup
	closed  bool

	state sync.Mutex // guards all fields below; never held during a wait or a script
	world
	traffic
}

// Start starts a server. It returns an error if a value of config is invalid, if Address is
// not on the loopback interface, or if the server cannot listen there.
func Start(config Config) (*Server, error) {
	if config.VisibleAfter < 0 {
		return nil, fmt.Errorf("fakeserver: VisibleAfter: %v is negative", config.VisibleAfter)
	}
	if config.Dialect < Milvus23 || config.Dialect > Milvus26 {
		return nil, fmt.Errorf("fakeserver: there is no dialect %d", config.Dialect)
	}

	s := &Server{config: config.withDefaults()}
	s.methods = methods(&service{s})
	if config.Address != "" {
		var err error
		if s.address, err = loopback(config.Address); err != nil {
			return nil, err
		}
	}

	s.traffic = traffic{counts: map[string]int{}, last: map[string]proto.Message{}, faults: map[string][]*armed{}}
	s.world = world{databases: map[string]*Database{}, imports: jobs{}, compactions: jobs{}}
	s.Database = s.world.create(s, defaultDatabase)

	if err := s.Restart(); err != nil {
		return nil, err
	}
	return s, nil
}

// withDefaults returns c with the default version and scripts of its dialect.
func (c Config) withDefaults() Config {
	const short = 200 * time.Millisecond
	lite := c.Dialect == MilvusLite
	if c.Version == "" {
		c.Version = c.Dialect.String()
	}
	if lite {
		c.VisibleAfter = 0
	}
	if c.Load == nil && lite {
		c.Load = fake.Percents(100)
	} else if c.Load == nil {
		c.Load = fake.LoadOver(short).InSteps(2)
	}

	if c.Import == nil {
		c.Import = importOver(short)
	}
	if c.Compact == nil {
		c.Compact = compactOver(short)
	}

	if c.Build == nil {
		c.Build = func(rows int64) fake.Script {
			if lite || rows <= 0 {
				return fake.Rows(rows, rows)
			}
			return fake.BuildOver(rows, short)
		}
	}
	return c
}

// Address returns the address of the server, such as "127.0.0.1:40123", or "" if it listens
// in memory only. A restart does not change it.
func (s *Server) Address() string {
	s.life.Lock()
	defer s.life.Unlock()
	return s.address
}

// Dial returns a connection in memory. It works in a bubble of testing/synctest if the
// server was started in the same bubble, and both are closed before its end. The options
// follow rpc.DialOptions and those of DialOptions.
func (s *Server) Dial(opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	all := append(rpc.DialOptions(), s.DialOptions()...)
	return grpc.NewClient("passthrough:///fakeserver", append(all, opts...)...)
}

// DialOptions returns options for connections in memory, for clients that accept a
// grpc.DialOption, such as milvus-sdk-go. A client with these options ignores its address.
func (s *Server) DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			s.life.Lock()
			memory := s.memory
			s.life.Unlock()
			if memory == nil {
				return nil, errors.New("fakeserver: connection refused: the server is stopped")
			}
			return memory.DialContext(ctx)
		}),
	}
}

// Stop makes the server unreachable, as if its process were killed: connections break,
// their calls fail, and new connections are refused. The server keeps its state, and the
// time of loads and index builds goes on. Restart makes it reachable again.
//
// Stop returns when every call has ended. A script of the server must not call it.
func (s *Server) Stop() {
	s.life.Lock()
	defer s.life.Unlock()
	s.stop()
}

// Restart stops the server, unless it is stopped already, and starts it at the same
// address. It returns an error if the server cannot listen there, because another process
// has taken the port for example, or if the server is closed.
func (s *Server) Restart() error {
	s.life.Lock()
	defer s.life.Unlock()
	if s.closed {
		return errors.New("fakeserver: the server is closed")
	}
	s.stop()

	server := newGRPC(s)
	if s.address != "" {
		listener, err := net.Listen("tcp", s.address)
		if err != nil {
			return fmt.Errorf("fakeserver: %w", err)
		}
		s.address = listener.Addr().String()
		s.serve(server, listener)
	}

	s.memory = bufconn.Listen(1 << 20)
	s.serve(server, s.memory)
	s.server = server
	return nil
}

// Close stops the server permanently. It returns when all its goroutines have ended.
func (s *Server) Close() {
	s.life.Lock()
	defer s.life.Unlock()
	s.stop()
	s.closed = true
}

// stop ends all calls and connections. The caller must hold s.life.
func (s *Server) stop() {
	if s.server == nil {
		return
	}
	s.server.Stop()
	s.serving.Wait()
	s.server, s.memory = nil, nil
}

// serve accepts connections until the gRPC server is stopped.
func (s *Server) serve(server *grpc.Server, listener net.Listener) {
	s.serving.Go(func() {
		// Serve returns when the server is stopped. Nothing can handle an earlier error.
		_ = server.Serve(listener)
	})
}

// newGRPC returns a gRPC server with the limits of Milvus' proxy.
func newGRPC(s *Server) *grpc.Server {
	server := grpc.NewServer(
		grpc.Creds(trackingCredentials{insecure.NewCredentials()}),
		grpc.UnaryInterceptor(s.intercept),
		grpc.UnknownServiceHandler(s.refuseUnknown),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
		grpc.MaxRecvMsgSize(64<<20),
		grpc.WaitForHandlers(true),
	)

	var all []grpc.MethodDesc
	for _, m := range s.methods {
		all = append(all, m.desc)
	}
	wire.Register(server, all...)
	return server
}

// service has the methods of the RPCs, so that they are not methods of Server.
type service struct{ s *Server }
