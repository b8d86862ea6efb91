package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
)

// rpcCounter matches the line for the number of calls of a method, in a Milvus proxy's
// metrics.
var rpcCounter = regexp.MustCompile(`^milvus_proxy_req_count\{function_name="(\w+)",[^}]*status="total"\} (\S+)$`)

// parseMetrics returns the number of calls of each method.
func parseMetrics(r io.Reader) (map[string]int, error) {
	counts := make(map[string]int)
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)

	for lines.Scan() {
		m := rpcCounter.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		n, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", lines.Text(), err)
		}
		counts[m[1]] += int(n)
	}

	return counts, lines.Err()
}

// serverCounts returns the number of calls of each method from the metrics at address.
func serverCounts(ctx context.Context, address string) (map[string]int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		return nil, err
	}

	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()

	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("metrics: %s", response.Status)
	}

	return parseMetrics(response.Body)
}
