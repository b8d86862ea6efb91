package promwait

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Options configures the metrics. The zero Options selects the defaults.
type Options struct {
	// Namespace is the prefix of the metric names, "milvuswait" by default. A prefix of
	// "milvus_" would look like the server's own metrics.
	Namespace string

	// ConstLabels are added to every metric: the database of all waits, for example.
	ConstLabels prometheus.Labels

	// Buckets are the upper bounds of milvuswait_wait_duration_seconds in seconds. The
	// default is 0.1 s to one hour.
	Buckets []float64

	// MaxTargets is the maximum number of collections and indexes with gauges. The longest
	// waits come first. The default is 100; a negative value disables the gauges.
	MaxTargets int
}

const defaultMaxTargets = 100

var (
	defaultBuckets = []float64{0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600}
	validName      = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	ownLabels      = []string{"op", "result", "collection", "index", "le"}
)

// resolve fills in the defaults and returns an error for each invalid option.
func (o Options) resolve() (Options, error) {
	o.Namespace = cmp.Or(o.Namespace, "milvuswait")
	if o.Buckets == nil {
		o.Buckets = defaultBuckets
	}
	o.MaxTargets = cmp.Or(o.MaxTargets, defaultMaxTargets)

	var errs []error
	invalid := func(format string, args ...any) { errs = append(errs, fmt.Errorf("promwait: "+format, args...)) }
	if !validName.MatchString(o.Namespace) {
		invalid("namespace %q: want letters, digits and _, and no digit first", o.Namespace)
	}
	if len(o.Buckets) == 0 {
		invalid("no buckets: leave them nil for the defaults")
	}

	for i, bound := range o.Buckets {
		switch {
		case math.IsNaN(bound) || bound <= 0:
			invalid("bucket %d is %v s: want more than 0", i+1, bound)
		case i > 0 && bound <= o.Buckets[i-1]:
			invalid("bucket %d is %v s, not more than the one before, %v s", i+1, bound, o.Buckets[i-1])
		}
	}

	for _, label := range slices.Sorted(maps.Keys(o.ConstLabels)) {
		switch {
		case slices.Contains(ownLabels, label):
			invalid("constant label %q: the metrics have a label of that name", label)
		case !validName.MatchString(label) || len(label) > 1 && label[:2] == "__":
			invalid("constant label %q: want letters, digits and _, no digit first, and not __", label)
		}
	}
	return o, errors.Join(errs...)
}

// register registers m at reg, and explains the error for a duplicate registration.
func register(reg prometheus.Registerer, m *Metrics, o Options) error {
	if reg == nil {
		return errors.New("promwait: the registerer is nil")
	}
	err := reg.Register(m)
	if already := (prometheus.AlreadyRegisteredError{}); errors.As(err, &already) {
		return fmt.Errorf("promwait: metrics of namespace %q are registered already: use one Metrics for all waits", o.Namespace)
	}
	if err != nil {
		return fmt.Errorf("promwait: %w", err)
	}
	return nil
}
