package traces

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
)

//go:embed recorded.csv
var recorded []byte

// Recorded returns the 57 index builds and loads of recorded.csv, in the order of the file.
// They took from 3 s to 65 s on a real Milvus server 2.3.5. Family is the name and the number
// of the recording, such as load_1segment/2.
func Recorded() []Trace {
	out, err := parse(recorded)
	if err != nil {
		panic("recorded.csv: " + err.Error())
	}
	return out
}

// parse reads traces in the format of recorded.csv. The share of the first row of a trace
// holds from time 0 on.
func parse(file []byte) ([]Trace, error) {
	r := csv.NewReader(bytes.NewReader(file))
	r.Comment = '#'
	r.FieldsPerRecord = 4
	if _, err := r.Read(); err != nil { // the names of the columns
		return nil, err
	}

	var out []Trace
	for {
		row, err := r.Read()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}

		at, err := strconv.ParseFloat(row[2], 64)
		if err != nil {
			return nil, fmt.Errorf("seconds: %w", err)
		}
		share, err := strconv.ParseFloat(row[3], 64)
		if err != nil {
			return nil, fmt.Errorf("share: %w", err)
		}

		name := row[0] + "/" + row[1]
		if n := len(out); n == 0 || out[n-1].Family != name {
			out = append(out, Trace{Family: name, Index: strings.HasPrefix(name, "index_")})
			at = 0
		}
		t := &out[len(out)-1]
		t.Steps = append(t.Steps, Step{at, share})
	}
}

// Later returns n copies of each trace, trace by trace. Each copy begins at a random time within
// the first second of the trace, so that a wait begins at any phase of the server's ticks. The
// same seed returns the same copies.
func Later(all []Trace, n int, seed uint64) []Trace {
	r := rand.New(rand.NewPCG(seed, 0))
	var out []Trace
	for _, t := range all {
		for range n {
			out = append(out, t.from(r.Float64()))
		}
	}
	return out
}

// from returns the trace without its first seconds.
func (t *Trace) from(seconds float64) Trace {
	out := Trace{Family: t.Family, Index: t.Index}
	for _, s := range t.Steps {
		s.T -= seconds
		if s.T <= 0 {
			out.Steps = []Step{{0, s.P}}
		} else {
			out.Steps = append(out.Steps, s)
		}
	}
	return out
}
