package realserver

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait/internal/child"
)

// CacheVariable is the environment variable with the folder for installed servers and for
// the data of running ones. The default is milvuswait in os.UserCacheDir.
const CacheVariable = "MILVUSWAIT_CACHE"

//go:embed unpack.py
var unpack string

// cacheDir returns the absolute path of the folder of CacheVariable. It creates the folder
// if it does not exist.
func cacheDir() (string, error) {
	dir := os.Getenv(CacheVariable)
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("%w: no folder to install to (set %s): %w", ErrUnavailable, CacheVariable, err)
		}
		dir = filepath.Join(user, "milvuswait")
	}

	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o755)
}

// install returns the folder of the installed release, in cache. It installs the release if
// it is missing or incomplete. Other processes wait until the installation is finished.
func install(ctx context.Context, cache string, r Release) (string, error) {
	if err := r.check(); err != nil {
		return "", err
	}
	folder := filepath.Join(cache, string(r.Kind)+"-"+r.Version)
	unlock, err := lock(ctx, folder+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()

	// The marker is written last, so that an interrupted installation is repeated.
	marker := filepath.Join(folder, "installed")
	want := []byte(strings.Join(r.requirements(), "\n"))
	if got, err := os.ReadFile(marker); err == nil && bytes.Equal(got, want) {
		return folder, nil
	}
	if err := os.RemoveAll(folder); err != nil {
		return "", err
	}

	venv := filepath.Join(folder, "venv")
	pip := append([]string{"-m", "pip", "install", "--quiet", "--no-input", "--only-binary=:all:"}, r.requirements()...)
	if err := run(ctx, "python3", "-m", "venv", venv); err != nil {
		return "", fmt.Errorf("%w: %v needs Python: %w", ErrUnavailable, r, err)
	}
	if err := run(ctx, python(folder), pip...); err != nil {
		return "", fmt.Errorf("%w: %v cannot be installed: %w", ErrUnavailable, r, err)
	}
	if r.Kind == Milvus {
		if err := run(ctx, python(folder), "-c", unpack, folder); err != nil {
			return "", fmt.Errorf("unpacking %v: %w", r, err)
		}
	}
	return folder, os.WriteFile(marker, want, 0o644)
}

// python returns the interpreter of an installed release.
func python(folder string) string { return filepath.Join(folder, "venv", "bin", "python") }

// run runs a program to its end. Its error contains the end of the program's output.
func run(ctx context.Context, name string, args ...string) error {
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &output, &output

	p, err := child.Start(cmd)
	if err != nil {
		return err
	}
	if err := p.Wait(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, tail(output.Bytes()))
	}
	return nil
}

// lock waits until no other process holds the lock file.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	for {
		held, err := tryLock(path)
		if err != nil {
			return nil, err
		}
		if held != nil {
			return func() { held.Close() }, nil
		}

		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for another process to release %s: %w", path, ctx.Err())
		}
	}
}

// tail returns the end of a program's output, for an error.
func tail(output []byte) []byte {
	const most = 8 << 10
	if len(output) <= most {
		return output
	}
	return append([]byte("…"), output[len(output)-most:]...)
}

// PythonWithPymilvus returns the path of a Python with pymilvus 3.0.2, and installs it if
// necessary. The error is ErrUnavailable if it cannot be installed.
func PythonWithPymilvus(ctx context.Context) (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	folder, err := install(ctx, cache, Lite32)
	if err != nil {
		return "", err
	}
	return python(folder), nil
}
