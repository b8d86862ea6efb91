// Package secret reads credentials, and keeps them out of what is written.
package secret

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// Token is an API key or USER:PASSWORD. Whatever writes it, by any verb of fmt or
// as JSON, writes a mask instead; a conversion to string reveals it.
type Token string

// Format implements fmt.Formatter.
func (Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// MarshalText implements encoding.TextMarshaler.
func (Token) MarshalText() ([]byte, error) { return []byte(mask), nil }

// maxSize is more than any token, and keeps /dev/zero from being read for ever.
const maxSize = 64 << 10

// Read returns the secret in the file of that name, or in stdin for "-", without
// the newline at its end. It returns context.Cause when ctx is done before a pipe
// or a FIFO has ended. Its errors have the name of the file, and never what is in
// it.
func Read(ctx context.Context, name string, stdin io.Reader) (string, error) {
	open := func() (io.ReadCloser, error) { return os.Open(name) }
	if name == "-" {
		name = "stdin"
		open = func() (io.ReadCloser, error) { return io.NopCloser(stdin), refuseTerminal(stdin) }
	}
	b, err := read(ctx, name, open, maxSize)
	if err != nil {
		return "", err
	}
	s, err := Clean(string(b))
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// ReadFile returns what is in the file of that name, but no more than one byte
// above limit. It ends with ctx, as Read does.
func ReadFile(ctx context.Context, name string, limit int64) ([]byte, error) {
	return read(ctx, name, func() (io.ReadCloser, error) { return os.Open(name) }, limit)
}

func read(ctx context.Context, name string, open func() (io.ReadCloser, error), limit int64) ([]byte, error) {
	type answer struct {
		bytes []byte
		err   error
	}
	read := make(chan answer, 1)
	// Neither opening a FIFO nor reading a pipe can be broken off.
	go func() {
		b, err := readAll(open, limit)
		read <- answer{b, err}
	}()
	select {
	case a := <-read:
		switch {
		case a.err == nil:
			return a.bytes, nil
		case strings.Contains(name, ":") && errors.Is(a.err, os.ErrNotExist):
			return nil, fmt.Errorf("reading the file, whose name is not shown since it may be a secret: %w", a.err)
		}
		return nil, fmt.Errorf("reading %s: %w", name, a.err)
	case <-ctx.Done():
		return nil, fmt.Errorf("reading %s: %w", name, context.Cause(ctx))
	}
}

func readAll(open func() (io.ReadCloser, error), limit int64) ([]byte, error) {
	in, err := open()
	if err != nil {
		return nil, cause(err)
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, limit+1))
	return b, cause(err)
}

func refuseTerminal(stdin io.Reader) error {
	if file, ok := stdin.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return errors.New("it is a terminal, which would show the secret: use a file or a pipe")
	}
	return nil
}

// cause returns why an operation on a file failed, without the name of the file,
// which is said already.
func cause(err error) error {
	var failed *os.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// Clean returns s without the newline at its end, or why it can be no secret.
func Clean(s string) (string, error) {
	s = strings.TrimRight(s, "\r\n")
	switch {
	case s == "":
		return "", errors.New("it is empty")
	case len(s) > maxSize:
		return "", errors.New("it is too long for a secret")
	case strings.ContainsAny(s, "\r\n"):
		return "", errors.New("it has several lines: a secret has one")
	case !utf8.ValidString(s), strings.ContainsFunc(s, isForeign):
		return "", errors.New("it holds what no secret does: is it text in UTF-8, without a byte order mark?")
	}
	return s, nil
}

func isForeign(r rune) bool { return unicode.IsControl(r) || r == '\ufeff' }

// Parts returns what of a token is secret: all of it, and of USER:PASSWORD the
// password, unless it is the one that every Milvus begins with: that is in many of
// the messages which a mask would spoil, and in the manual.
func Parts(token string) []string {
	if _, password, found := strings.Cut(token, ":"); found && password != "Milvus" {
		return []string{token, password}
	}
	return []string{token}
}
