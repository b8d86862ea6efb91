package main

import (
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

const token = "root:hushhush"

// startLoaded starts a server on which the targets of the files are complete.
func startLoaded(t *testing.T) *fakeserver.Server {
	t.Helper()
	s := startMilvus(t)
	s.Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Rows(100_000, 100_000))
	s.Set(milvuswait.Loading("images"), fake.Percents(100))
	return s
}

// encrypted returns an https address of the server, which requires the token, and a
// directory like the mounted Secret, with the token and the CA certificate.
func encrypted(t *testing.T, s *fakeserver.Server) (address, secret string) {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: s.Address()})
	proxy.Transport = &http.Transport{Protocols: protocols}
	front := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != base64.StdEncoding.EncodeToString([]byte(token)) {
			w.Header().Set("Content-Type", "application/grpc")
			w.Header().Set("Grpc-Status", "16") // Unauthenticated
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	front.EnableHTTP2 = true
	front.StartTLS()
	t.Cleanup(front.Close)

	secret = t.TempDir()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})
	require.NoError(t, os.WriteFile(filepath.Join(secret, "ca.crt"), authority, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(secret, "token"), []byte(token+"\n"), 0o600))
	return front.URL, secret
}

// The waits of the containers succeed with the arguments in the files.
func TestContainers(t *testing.T) {
	for file, pod := range pods(t) {
		for _, c := range waits(pod) {
			t.Run(file+" "+c.Name, func(t *testing.T) {
				t.Parallel()
				address, secret := encrypted(t, startLoaded(t))
				args := make([]string, len(c.Args))
				for i, arg := range c.Args {
					args[i] = strings.ReplaceAll(arg, c.VolumeMounts[0].MountPath, secret)
				}
				cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "milvus-wait"), args...)
				cmd.Env = []string{c.Env[0].Name + "=" + address}

				output, err := cmd.CombinedOutput()

				require.NoError(t, err, string(output))
				require.NotContains(t, string(output), "hushhush")

				require.NoError(t, os.WriteFile(filepath.Join(secret, "token"), []byte("root:other"), 0o600))
				again := exec.CommandContext(t.Context(), cmd.Path, args...)
				again.Env = cmd.Env
				output, err = again.CombinedOutput()

				require.Equal(t, 1, exitCode(t, err), string(output))
			})
		}
	}
}
