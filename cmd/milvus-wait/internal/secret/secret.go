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
	type answer struct {
		bytes []byte
		err   error
	}
	read := make(chan answer, 1)
	open := func() (io.ReadCloser, error) { return os.Open(name) }
	if name == "-" {
		name = "stdin"
		open = func() (io.ReadCloser, error) { return io.NopCloser(stdin), refuseTerminal(stdin) }
	}
	// Neither opening a FIFO nor reading a pipe can be broken off.
	go func() {
		b, err := readAll(open)
		read <- answer{b, err}
	}()
	select {
	case a := <-read:
		if a.err != nil {
			return "", fmt.Errorf("reading %s: %w", name, a.err)
		}
		s, err := Clean(string(a.bytes))
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		return s, nil
	case <-ctx.Done():
		return "", fmt.Errorf("reading %s: %w", name, context.Cause(ctx))
	}
}

func readAll(open func() (io.ReadCloser, error)) ([]byte, error) {
	in, err := open()
	if err != nil {
		return nil, cause(err)
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, maxSize+1))
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
