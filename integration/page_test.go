package integration_test

import (
	"flag"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/integration/realserver"
)

func TestCells(t *testing.T) {
	tests := map[string]struct {
		row  row
		want string
	}{
		"late":            {row{late: after(120 * time.Millisecond), waited: 2 * time.Second}, "0.12 s late of 2.00 s"},
		"early":           {row{late: after(-600 * time.Millisecond), waited: 2 * time.Second}, "0.60 s early of 2.00 s"},
		"very early":      {row{late: after(-24483 * time.Millisecond)}, "24.48 s early"},
		"with completion": {row{late: after(-4 * time.Millisecond), polls: 3}, "0.00 s late, 3 polls"},
		"no completion":   {row{waited: 2 * time.Second}, "2.00 s"},
		"nothing to tell": {row{}, "as expected"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.row.verdict = "ok"
			require.Equal(t, tt.want, tt.row.cell())
		})
	}
}

func after(d time.Duration) *time.Duration { return &d }

func TestThePageIsOfAWholeRun(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		args []string
		want string
	}{
		{"whole", map[string]string{modeVariable: "require"}, nil, ""},
		{"servers that may be missing", map[string]string{modeVariable: "1"}, nil,
			"MILVUSWAIT_INTEGRATION_SUMMARY is for all servers: set MILVUSWAIT_INTEGRATION=require"},
		{"one server", map[string]string{modeVariable: "require", realserver.URIVariable: "http://127.0.0.1:19530"}, nil,
			"MILVUSWAIT_INTEGRATION_SUMMARY is for all servers: unset MILVUS_URI"},
		{"other servers", map[string]string{modeVariable: "require", serversVariable: "2.2.9"}, nil,
			"MILVUSWAIT_INTEGRATION_SUMMARY is for all servers: unset MILVUSWAIT_INTEGRATION_SERVERS"},
		{"some tests", map[string]string{modeVariable: "require"}, []string{"-test.run=Index"},
			"MILVUSWAIT_INTEGRATION_SUMMARY is for all tests: do without -test.run"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			flags := flag.NewFlagSet(t.Name(), flag.ContinueOnError)
			flags.SetOutput(io.Discard)
			flags.String("test.run", "", "")
			require.NoError(t, flags.Parse(tt.args))

			err := whole(func(name string) string { return tt.env[name] }, flags.Lookup)

			if tt.want == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, tt.want)
			}
		})
	}
}

func TestChoose(t *testing.T) {
	older := []realserver.Release{realserver.Milvus229, realserver.Milvus230}
	tests := map[string]struct {
		names    string
		releases []realserver.Release
		want     []realserver.Release
		err      string
	}{
		"both kinds":       {"2.2.9,2.3.0,lite-3.1.1", all, append(older, realserver.Lite311), ""},
		"of the test only": {"2.2.9,2.3.0,lite-3.1.1", standalone, older, ""},
		"none":             {"2.2.9", []realserver.Release{realserver.Lite32}, nil, ""},
		"misspelled":       {"2.2.9, 2.3.0", all, nil, `MILVUSWAIT_INTEGRATION_SERVERS: " 2.3.0" is not a release, such as 2.3.0 or lite-3.1.1`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := choose(tt.names, tt.releases)

			if tt.err != "" {
				require.EqualError(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}
