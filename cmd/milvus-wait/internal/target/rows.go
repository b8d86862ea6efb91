package target

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/kind"
)

// Rows are minimum numbers of rows of indexes, as set by --rows.
type Rows struct {
	every int64            // minimum for collections absent from the map; 0 means none
	of    map[string]int64 // minimum by collection
}

// ParseRows reads the values of --rows: N for every index, or COLLECTION=N. Each may be
// given once.
func ParseRows(values []string) (Rows, error) {
	rows, every := Rows{of: map[string]int64{}}, false
	for _, value := range values {
		collection, number, named := strings.Cut(value, "=")
		if !named {
			number = value
		} else if err := Collection(collection); err != nil {
			return Rows{}, fmt.Errorf("--rows %q is not N or COLLECTION=N: the name %w", value, err)
		}
		n, err := strconv.ParseInt(strings.ReplaceAll(number, "_", ""), 10, 64)
		if err != nil || n < 0 {
			return Rows{}, fmt.Errorf("--rows %q is not N or COLLECTION=N: %q is no number of rows", value, number)
		}

		_, again := rows.of[collection]
		switch {
		case named && again:
			return Rows{}, fmt.Errorf("--rows %q: the rows of %q are set twice", value, collection)
		case named:
			rows.of[collection] = n
		case every:
			return Rows{}, fmt.Errorf("--rows %q: the rows of every index are set twice", value)
		default:
			rows.every, every = n, true
		}
	}
	return rows, nil
}

// Expect returns the targets with the expected rows. It returns an error for a collection in
// --rows without a target that counts rows.
func (r Rows) Expect(targets []milvuswait.Target) ([]milvuswait.Target, error) {
	expecting, left := slices.Clone(targets), maps.Clone(r.of)
	for i, t := range expecting {
		if !kind.Of(t).TakesRows {
			continue
		}
		n, named := r.of[t.Collection()]
		if !named {
			n = r.every
		}
		expecting[i] = t.ExpectRows(n)
		delete(left, t.Collection())
	}

	for _, collection := range slices.Sorted(maps.Keys(left)) {
		return nil, fmt.Errorf("--rows %q: no index of %q is waited for", fmt.Sprintf("%s=%d", collection, left[collection]), collection)
	}
	return expecting, nil
}
