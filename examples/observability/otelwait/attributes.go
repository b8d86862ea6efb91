package otelwait

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"

	"github.com/milvuswait/milvuswait"
)

// Those without milvuswait in their names are of the semantic conventions for
// databases, which know no name for Milvus.
const (
	keySystem     = "db.system.name"
	keyOperation  = "db.operation.name"
	keyCollection = "db.collection.name"
	keyError      = "error.type"
	keyIndex      = "milvuswait.index"
	keyPartitions = "milvuswait.partitions"
	keyExpected   = "milvuswait.expected_rows"
	keyPolls      = "milvuswait.polls"
	keyFraction   = "milvuswait.progress"
	keyPollResult = "milvuswait.poll.result"
)

func checkAttributes(attrs []attribute.KeyValue) error {
	var errs []error
	for n, attr := range attrs {
		switch {
		case !attr.Valid():
			errs = append(errs, fmt.Errorf("otelwait: attribute %d of %d, %q, has no key or no value", n+1, len(attrs), attr.Key))
		case isOwn(attr.Key):
			errs = append(errs, fmt.Errorf("otelwait: attribute %q is set by this package", attr.Key))
		}
	}
	return errors.Join(errs...)
}

func isOwn(key attribute.Key) bool {
	switch key {
	case keySystem, keyOperation, keyCollection, keyError, keyIndex, keyPartitions, keyExpected, keyPolls, keyFraction, keyPollResult:
		return true
	}
	return false
}

// operation names the wait as the conventions name the calls of a database.
func operation(kind milvuswait.Kind) string { return "wait_for_" + string(kind) }

// ofTarget are the attributes that tell a target from others, without those that
// are too many for metrics.
func ofTarget(kind milvuswait.Kind, collection, index string) []attribute.KeyValue {
	attrs := []attribute.KeyValue{attribute.String(keyOperation, operation(kind)), attribute.String(keyCollection, collection)}
	if index != "" {
		attrs = append(attrs, attribute.String(keyIndex, index))
	}
	return attrs
}
