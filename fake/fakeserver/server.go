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

// Config is how a Server is to be. The zero Config is a Milvus 2.3 that only
// this process can reach.
type Config struct {
	// Address is where to listen besides in memory: 127.0.0.1, [::1] or
	// localhost, with a port, or without one or with port 0 for a free one. Empty
	// means nowhere. Any other address is refused: the fake knows no passwords
	// and must not be taken for a real server.
	Address string

	// Dialect is the server whose answers are given.
	Dialect Dialect

	// Load is what LoadCollection and LoadPartitions begin, and a refresh too. The
	// default is a load that takes 200 ms in two steps; milvus-lite's is complete
	// at once.
	Load fake.Script

	// Build returns what begins for each lot of rows when it is flushed or, if it
	// was before, when CreateIndex is called. It is called for a poll and must
	// return the same every time. The default is a build of 200 ms; milvus-lite's
	// is complete at once.
	Build func(rows int64) fake.Script

	// VisibleAfter is the time from a flush until its rows are counted: 2.6 s on
	// real servers, 0 by default.
	VisibleAfter time.Duration
}

// Server is a fake Milvus. It is made by [Start] and must be closed. It is safe
// for concurrent use.
//
// The Database in it is the one called "default".
type Server struct {
	*Database

	config  Config
	methods map[string]method // the RPCs that are served, by name

	life    sync.Mutex // around the fields here, and around starts and stops
	address string     // with the port that was got; "" for none
	server  *grpc.Server
	memory  *bufconn.Listener // nil while stopped
	serving sync.WaitGroup
	closed  bool

	state sync.Mutex // around everything below, never held while anything waits
	world
	traffic
}

// Start returns a server that serves. The error says that the Config makes no
// sense, that its Address is refused, or that nothing can listen there.
func Start(config Config) (*Server, error) {
	if config.VisibleAfter < 0 {
		return nil, fmt.Errorf("fakeserver: VisibleAfter: %v is negative", config.VisibleAfter)
	}
	if config.Dialect < Milvus23 || config.Dialect > MilvusLite {
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
	s.world = world{databases: map[string]*Database{}}
	s.Database = s.world.create(s, defaultDatabase)
	if err := s.Restart(); err != nil {
		return nil, err
	}
	return s, nil
}

func (c Config) withDefaults() Config {
	const short = 200 * time.Millisecond
	lite := c.Dialect == MilvusLite
	if c.Load == nil && lite {
		c.Load = fake.Percents(100)
	} else if c.Load == nil {
		c.Load = fake.LoadOver(short).InSteps(2)
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

// Address returns where the server listens, such as "127.0.0.1:40123", or "" if
// it does only in memory. It stays the same over restarts.
func (s *Server) Address() string {
	s.life.Lock()
	defer s.life.Unlock()
	return s.address
}

// Dial returns a connection in memory. It works in a bubble of testing/synctest
// if the server was started in the same one and both are closed before its end.
// The options are added to rpc.DialOptions and to those of DialOptions.
func (s *Server) Dial(opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	all := append(rpc.DialOptions(), s.DialOptions()...)
	return grpc.NewClient("passthrough:///fakeserver", append(all, opts...)...)
}

// DialOptions returns what makes a client that can be given grpc.DialOptions,
// such as milvus-sdk-go, connect in memory, whatever address it is given.
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

// Stop makes the server unreachable and its calls fail, as if its process had
// been killed: connections break and new ones are refused. What it knows is
// kept, the time of loads and index builds goes on, and Restart brings it back.
// It returns when every call has ended. It must not be called by a script of the
// server itself.
func (s *Server) Stop() {
	s.life.Lock()
	defer s.life.Unlock()
	s.stop()
}

// Restart stops the server, if it is not stopped already, and starts it at the
// same address. The error is that somebody else has taken the port meanwhile, or
// that the server is closed.
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

// Close stops the server for good. It returns when no goroutine of it is left.
func (s *Server) Close() {
	s.life.Lock()
	defer s.life.Unlock()
	s.stop()
	s.closed = true
}

func (s *Server) stop() {
	if s.server == nil {
		return
	}
	s.server.Stop()
	s.serving.Wait()
	s.server, s.memory = nil, nil
}

func (s *Server) serve(server *grpc.Server, listener net.Listener) {
	s.serving.Go(func() {
		// It returns when the server is stopped; there is nobody to tell before.
		_ = server.Serve(listener)
	})
}

// newGRPC returns a server with the limits of Milvus' proxy.
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

// service has the RPCs, so that Server does not.
type service struct{ s *Server }
