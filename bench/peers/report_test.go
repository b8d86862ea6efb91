package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseMetrics(t *testing.T) {
	counts, err := parseMetrics(strings.NewReader(`# TYPE milvus_proxy_req_count counter
milvus_proxy_req_count{function_name="DescribeIndex",node_id="3",status="success"} 7
milvus_proxy_req_count{function_name="DescribeIndex",node_id="3",status="total"} 9
milvus_proxy_req_count{function_name="GetLoadingProgress",node_id="3",status="total"} 1.2e+06
milvus_proxy_req_latency_sum{function_name="DescribeIndex",node_id="3"} 4
`))

	require.NoError(t, err)
	require.Equal(t, map[string]int{"DescribeIndex": 9, "GetLoadingProgress": 1_200_000}, counts)
}

func TestVerdict(t *testing.T) {
	late := sample{late: 120 * time.Millisecond}
	early := sample{late: -2 * time.Second, early: true}
	for name, c := range map[string]struct {
		samples []sample
		fails   bool
		want    string
	}{
		"one late":                   {[]sample{late}, false, "0.120 s"},
		"one early":                  {[]sample{early}, false, "**early by 2.000 s**"},
		"several":                    {[]sample{{late: time.Second}, late, {late: 3 * time.Second}}, false, "1.000 s (0.120 s to 3.000 s)"},
		"ended by the limit":         {[]sample{{late: time.Second, hung: true}}, true, "–"},
		"an error":                   {[]sample{{late: -time.Second, err: "no"}}, false, "–"},
		"an error that was expected": {[]sample{{late: 20 * time.Millisecond, err: "released"}}, true, "0.020 s"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, series{samples: c.samples}.verdict(c.fails))
		})
	}
}

func TestTally_OtherMethods_AreNotCounted(t *testing.T) {
	var got tally

	got.add(map[string]int{"A": 1, "B": 5}, map[string]int{"A": 4, "B": 9}, []map[string]int{{"A": 1}, {"A": 2}})

	require.Equal(t, tally{here: 3, server: 3}, got)
}
