// Package secret reads credentials, and keeps them out of all outputs.
package secret

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// Token is an API key or USER:PASSWORD. All verbs of fmt and JSON write a mask instead of it.
// A conversion to string reveals it.
type Token string

// Format implements fmt.Formatter.
func (Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// MarshalText implements encoding.TextMarshaler.
func (Token) MarshalText() ([]byte, error) { return []byte(mask), nil }

// maxSize is longer than any token. It bounds the read of an endless file, such as
// /dev/zero.
const maxSize = 64 << 10

// Read returns the secret in the named file, or in stdin for "-", without the newline at its
// end. If ctx ends before a pipe or a FIFO does, it returns context.Cause, without the name of
// the file. Its other errors contain the name, unless it may be the secret itself. No error
// contains the contents.
func Read(ctx context.Context, name string, stdin io.Reader) (string, error) {
	s := fileNamed(name, true)
	if name == "-" {
		s = source{name: "stdin", open: func() (io.ReadCloser, error) { return io.NopCloser(stdin), refuseTerminal(stdin) }}
	}

	b, err := s.read(ctx, maxSize)
	if err != nil {
		return "", err
	}

	text, err := Clean(string(b))
	if err != nil {
		return "", fmt.Errorf("%s: %w", s.name, err)
	}
	return text, nil
}

// Rereadable reports whether Read can read the named file again: only a regular file has
// its contents again, and no writer to wait for.
func Rereadable(name string) bool {
	if name == "-" {
		return false
	}
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// ReadKey returns the contents of the named file, up to one byte more than limit. It ends
// with ctx, and treats the name, as Read does.
func ReadKey(ctx context.Context, name string, limit int64) ([]byte, error) {
	return fileNamed(name, true).read(ctx, limit)
}

// shortestKey is the length of the shortest private key in base64: Ed25519 in PKCS #8.
const shortestKey = 64

// ReadFile is ReadKey for files without secrets. Its errors contain the name, unless it may be
// USER:PASSWORD, or a private key given for a certificate.
func ReadFile(ctx context.Context, name string, limit int64) ([]byte, error) {
	doubtful := strings.ContainsAny(name, ":\n") || len(name) >= shortestKey
	return fileNamed(name, doubtful).read(ctx, limit)
}

// source is a file or stdin.
type source struct {
	name     string // name in errors
	open     func() (io.ReadCloser, error)
	doubtful func() bool // reports whether the name may be a secret; nil if it is none
}

// fileNamed returns the file with this name, which is doubtful if it may be a secret.
func fileNamed(name string, doubtful bool) source {
	s := source{name: untrusted.Text(name), open: func() (io.ReadCloser, error) { return os.Open(name) }}

	if doubtful {
		s.doubtful = func() bool { return !isFileName(name) }
	}
	return s
}

// read returns the contents, up to one byte more than limit.
func (s source) read(ctx context.Context, limit int64) ([]byte, error) {
	type answer struct {
		bytes  []byte
		err    error
		hidden bool
	}
	read := make(chan answer, 1)
	// Opening a FIFO and reading a pipe cannot be interrupted.
	go func() {
		b, err := readAll(s.open, limit)
		read <- answer{b, err, err != nil && s.doubtful != nil && s.doubtful()}
	}()

	select {
	case a := <-read:
		switch {
		case a.err == nil:
			return a.bytes, nil
		case a.hidden:
			return nil, fmt.Errorf("reading the file, whose name is not shown because it may be the secret itself: %w", a.err)
		}
		return nil, fmt.Errorf("reading %s: %w", s.name, a.err)
	case <-ctx.Done():
		name := s.name
		if s.doubtful != nil { // its check may block too
			name = "the file"
		}
		return nil, fmt.Errorf("reading %s: %w", name, context.Cause(ctx))
	}
}

// isFileName reports whether name is the name of a file and not a secret given in its place:
// the file exists, or a directory that the name contains. Any secret may begin with the root
// or stand for a file in the current directory, so these are not enough.
func isFileName(name string) bool {
	if _, err := os.Lstat(name); err == nil {
		return true
	}

	dir, _ := filepath.Split(name)
	if strings.Trim(dir, `/\`) == "" {
		return false
	}
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
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

// cause returns the reason in the error of a file, without the name of the file: the caller
// adds it.
func cause(err error) error {
	var failed *os.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// Clean returns s without the newline at its end, or an error if it cannot be a secret.
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

// Parts returns the secret parts of a token: all of it and, of USER:PASSWORD, the password.
// The default password of Milvus is no secret: it is in the manual, and a mask would spoil
// many messages.
func Parts(token string) []string {
	if _, password, found := strings.Cut(token, ":"); found && password != "Milvus" {
		return []string{token, password}
	}
	return []string{token}
}
