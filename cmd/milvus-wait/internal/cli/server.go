package cli

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/dial"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/secret"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/target"
	"github.com/milvuswait/milvuswait/rpc"
)

const defaultURI = "http://localhost:19530"

// server is a Milvus server with its connection.
type server struct {
	conn     *grpc.ClientConn
	poller   *poller
	line     *line
	endpoint dial.Endpoint
	database string
	from     sources
	mask     secret.Mask    // masks the secrets sent to it
	grace    *time.Duration // value of --grace; nil for commands without the flag
	refresh  bool           // the wait is for refreshes too
}

// sources has the flags or variables with the settings of a server, for hints.
type sources struct {
	database string  // "" for the server's default
	token    setting // without the value; no name without credentials
}

// open returns the server named by flags and environment. It does not connect yet.
func (a *app) open(ctx context.Context) (*server, error) {
	g := a.global
	addresses, err := a.addresses()
	if err != nil {
		return nil, exit.AsUsage(err)
	}
	endpoint, err := endpointOf(addresses)
	if err != nil {
		return nil, exit.AsUsage(err)
	}

	if !endpoint.Explicit && (g.tlsCA != "" || g.tlsCert != "" || g.tlsServerName != "") {
		endpoint.TLS = true
	}
	endpoint.CertFile, endpoint.KeyFile = g.tlsCert, g.tlsKey
	a.output.Address = endpoint.URI()

	database, err := a.database(addresses)
	if err != nil {
		return nil, exit.AsUsage(err)
	}
	if err := target.Name(database.value); database.value != "" && err != nil {
		return nil, exit.Usagef("the name %q of the database %w", database.value, err)
	}

	token, renew, err := a.token(ctx, endpoint, addresses)
	if err != nil {
		return nil, misuse(ctx, err)
	}
	conn, err := dial.Open(ctx, dial.Config{
		Endpoint: endpoint, Token: secret.Token(token.value), Renew: renew, CAFile: g.tlsCA, ServerName: g.tlsServerName,
		Insecure: g.insecure, UserAgent: "milvus-wait/" + version(), ConnectTimeout: g.connectTimeout,
	})
	if err != nil {
		return nil, misuse(ctx, err)
	}

	s := newServer(conn, endpoint, database.value)
	s.mask, s.from = a.mask, sources{database.name, setting{name: token.name, quoted: token.quoted}}
	return s, nil
}

// misuse returns err as a usage error, unless the end of ctx caused it.
func misuse(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		return err
	}
	return exit.AsUsage(err)
}

func newServer(conn *grpc.ClientConn, endpoint dial.Endpoint, database string) *server {
	line := &line{endpoint: endpoint}
	return &server{
		conn: conn, poller: &poller{rpc.New(conn, rpc.WithDatabase(database)), line}, line: line,
		endpoint: endpoint, database: database,
	}
}

// connect returns the server with an established connection, for commands that do not wait.
func (a *app) connect(ctx context.Context) (*server, error) {
	s, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	if err := dial.Establish(ctx, s.conn, s.endpoint, a.global.connectTimeout); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *server) close() { _ = s.conn.Close() }

// token returns the credentials for the server, and a function that reads them again, or
// nil if they never change. From then on, a.mask covers them and the credentials for a
// proxy.
func (a *app) token(ctx context.Context, endpoint dial.Endpoint, addresses []address) (setting, func(context.Context) (secret.Token, error), error) {
	file, err := a.tokenFile()
	if err != nil {
		return setting{}, nil, err
	}

	// A file that is regular only later, or no longer, is not read again.
	rereadable := file != "" && secret.Rereadable(file)
	token, err := a.readToken(ctx, addresses)
	a.mask = secret.NewMask(append(secret.Parts(token.value), endpoint.ProxySecrets()...)...)
	if err != nil || !rereadable {
		return token, nil, err
	}

	return token, func(ctx context.Context) (secret.Token, error) {
		if !secret.Rereadable(file) {
			return "", errors.ErrUnsupported
		}
		token, err := a.readToken(ctx, addresses)
		if err == nil {
			a.mask.Add(secret.Parts(token.value)...) // before anything can print it
		}
		return secret.Token(token.value), err
	}, nil
}

// tokenFile returns the name of the file with the credentials, or "" if none is set. It
// returns an error for flags that exclude each other.
func (a *app) tokenFile() (string, error) {
	g := a.global
	switch {
	case g.tokenFile != "" && (g.user != "" || g.passwordFile != ""):
		return "", errors.New("--token-file excludes --user and --password-file")
	case (g.user == "") != (g.passwordFile == ""):
		return "", errors.New("--user and --password-file go together")
	case strings.Contains(g.user, ":"):
		return "", errors.New("--user holds a colon, which ends the name of a user")
	}
	return cmp.Or(g.tokenFile, g.passwordFile), nil
}

// readToken reads the credentials from the flags, or else from the environment.
func (a *app) readToken(ctx context.Context, addresses []address) (setting, error) {
	g := a.global
	switch {
	case g.tokenFile != "":
		token, err := secret.Read(ctx, g.tokenFile, a.Stdin)
		return setting{"--token-file", token, inQuotes(token)}, asked("--token-file", err)
	case g.user != "":
		password, err := secret.Read(ctx, g.passwordFile, a.Stdin)
		return setting{"--user with --password-file", g.user + ":" + password, inQuotes(password)}, asked("--password-file", err)
	}
	return a.environmentToken(addresses)
}
