// Package realserver installs real Milvus servers and runs them on this machine, for tests
// and benchmarks. Several servers can run at the same time, also for several processes. No
// server outlives the process that started it.
//
// A server is installed by pip, on first use, into its own virtual environment in the folder
// of [CacheVariable]. Its address is on the loopback interface, without TLS, and without a
// password except after [LaunchSecured]. Milvus 2.2.16 and 2.3.5 also listen on every other
// interface, without a setting against it: run them only on a machine that others cannot
// reach.
package realserver

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/milvuswait/milvuswait/internal/child"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// startLimit is the maximum time until a started server answers. On an idle machine, servers
// take about 10 s.
const startLimit = 3 * time.Minute

// Server is a Milvus server. Launch, LaunchSecured and Attach return one. Start, Kill, Freeze,
// Thaw and Close must not be called concurrently; all other methods may.
type Server struct {
	release Release
	address string
	token   string // token for Dial; "" if the server checks no users
	tls     bool

	folder  string         // folder of the installation
	slot    *slot          // nil after Attach
	process *child.Process // nil while the server does not run
}

// Launch installs the release if necessary, starts a server with an empty data folder, and
// returns it once it answers. The caller must close it. The error is ErrUnavailable if the
// release cannot be installed on this machine.
func Launch(ctx context.Context, r Release) (*Server, error) { return launch(ctx, r, "") }

// rootToken is the token of the initial user of every server.
const rootToken = "root:Milvus"

// LaunchSecured is Launch for a Milvus that checks users and their rights. Dial connects as
// root.
func LaunchSecured(ctx context.Context, r Release) (*Server, error) {
	return launch(ctx, r, rootToken)
}

func launch(ctx context.Context, r Release, token string) (*Server, error) {
	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	folder, err := install(ctx, cache, r)
	if err != nil {
		return nil, err
	}
	slot, err := takeSlot(cache, firstPort)
	if err != nil {
		return nil, err
	}

	s := &Server{release: r, folder: folder, slot: slot, address: slot.address(servicePort), token: token}
	if err := s.Start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Start starts a killed server again, on its ports and with its data. It returns once the
// server answers.
func (s *Server) Start(ctx context.Context) error {
	switch {
	case s.slot == nil:
		return fmt.Errorf("cannot start %v at %s: this program has not launched it", s.release, s.address)
	case s.process != nil:
		return fmt.Errorf("%v at %s runs already", s.release, s.address)
	}

	cmd, err := command(s.release, s.folder, s.slot)
	if err != nil {
		return err
	}
	if s.token != "" {
		cmd.Env = append(cmd.Env, "COMMON_SECURITY_AUTHORIZATIONENABLED=true")
	}
	log, err := os.OpenFile(s.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()

	cmd.Dir, cmd.Stdout, cmd.Stderr = s.slot.folder, log, log
	if s.process, err = child.Start(cmd); err != nil {
		return err
	}
	if err := s.awaitReady(ctx); err != nil {
		return fmt.Errorf("starting %v: %w\n%s", s.release, err, s.Log())
	}
	return nil
}

// Kill ends the server like a crash, without time to write anything. It does nothing if the
// server does not run.
func (s *Server) Kill() error {
	switch {
	case s.slot == nil:
		return fmt.Errorf("cannot kill %v at %s: this program has not launched it", s.release, s.address)
	case s.process == nil:
		return nil
	}

	err := s.process.Kill()
	removeTraces(s.slot, s.process.PID())
	s.process = nil
	return err
}

// Freeze stops every process of the server until Thaw, like a hanging machine: connections
// stay open, and calls get no answer.
func (s *Server) Freeze() error { return s.running("freeze", (*child.Process).Freeze) }

// Thaw lets a frozen server continue.
func (s *Server) Thaw() error { return s.running("thaw", (*child.Process).Thaw) }

func (s *Server) running(what string, do func(*child.Process) error) error {
	if s.process == nil {
		return fmt.Errorf("cannot %s %v at %s: it does not run, or this program has not launched it", what, s.release, s.address)
	}
	return do(s.process)
}

// Close kills the server and removes its data. It does nothing to a server from Attach.
func (s *Server) Close() error {
	if s.slot == nil {
		return nil
	}
	return errors.Join(s.Kill(), s.slot.release())
}

// Release returns the kind and the version of the server.
func (s *Server) Release() Release { return s.release }

// Address returns host and port of the server's RPCs.
func (s *Server) Address() string { return s.address }

// URI returns the address with its scheme.
func (s *Server) URI() string {
	if s.tls {
		return "https://" + s.address
	}
	return "http://" + s.address
}

// Token returns the token of Dial, or "" if the server checks no users.
func (s *Server) Token() string { return s.token }

// MetricsAddress returns host and port of the server's metrics, or "" for a server without
// any. GET /metrics returns them, the counts of RPCs for example.
func (s *Server) MetricsAddress() string {
	if s.release.Kind != Milvus {
		return ""
	}
	return s.slot.address(metricsPort)
}

// StorageDir returns the root folder for files of imports, or "" for a server without one.
func (s *Server) StorageDir() string {
	if s.release.Kind != Milvus {
		return ""
	}
	return storageDir(s.slot)
}

// PID returns the id of the server's process, or 0 for a server from Attach or one that does
// not run.
func (s *Server) PID() int {
	if s.process == nil {
		return 0
	}
	return s.process.PID()
}

// Log returns the end of the server's output, since its first start.
func (s *Server) Log() string {
	if s.slot == nil {
		return ""
	}
	output, err := os.ReadFile(s.logPath())
	if err != nil {
		return err.Error()
	}
	return string(tail(output))
}

func (s *Server) logPath() string { return filepath.Join(s.slot.folder, "server.log") }

// Dial returns a new connection to the server, with rpc.DialOptions and opts.
func (s *Server) Dial(opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	return s.DialAs(s.token, opts...)
}

// DialAs is Dial with another token, such as "user:password".
func (s *Server) DialAs(token string, opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	transport := insecure.NewCredentials()
	if s.tls {
		transport = credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})
	}
	all := append(rpc.DialOptions(), grpc.WithTransportCredentials(transport))
	if token != "" {
		all = append(all, grpc.WithPerRPCCredentials(authorization(token)))
	}
	return grpc.NewClient(s.address, append(all, opts...)...)
}

// authorization sends a token in the header that Milvus reads.
type authorization string

// GetRequestMetadata returns the header.
func (a authorization) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": base64.StdEncoding.EncodeToString([]byte(a))}, nil
}

// RequireTransportSecurity returns false: a launched server is on this machine and has no
// TLS.
func (authorization) RequireTransportSecurity() bool { return false }

// awaitReady waits until the server answers.
func (s *Server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	conn, err := s.Dial()
	if err != nil {
		return err
	}
	defer conn.Close()

	for {
		notReady := s.probe(ctx, conn)
		if notReady == nil {
			return nil
		}
		select {
		case <-s.process.Exited():
			return fmt.Errorf("the process has ended: %v", s.process.Wait())
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w (%w)", notReady, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// probe returns nil if the server answers and all its components are healthy.
func (s *Server) probe(ctx context.Context, conn *grpc.ClientConn) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()

	if s.MetricsAddress() != "" {
		// The proxy answers before the nodes are ready for loads and flushes.
		if err := healthy(ctx, "http://"+s.MetricsAddress()+"/healthz"); err != nil {
			return err
		}
	}

	response, err := wire.ShowCollections.Call(ctx, conn, &wire.ShowCollectionsRequest{})
	if err != nil {
		return err
	}
	status := response.GetStatus()
	if status.GetCode() != 0 || status.GetErrorCode() != 0 {
		return errors.New(status.GetReason())
	}
	return nil
}

func healthy(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}

	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return nil
}
