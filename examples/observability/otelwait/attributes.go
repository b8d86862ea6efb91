package otelwait

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"

	"github.com/milvuswait/milvuswait"
)

// Attribute keys. Keys without the prefix milvuswait belong to the semantic conventions for
// databases. These define no system name for Milvus.
const (
	keySystem     = "db.system.name"
	keyOperation  = "db.operation.name"
	keyCollection = "db.collection.name"
	keyError      = "error.type"
	keyIndex      = "milvuswait.index"
	keyPartitions = "milvuswait.partitions"
	keyBehind     = "milvuswait.index.behind"
	keyExpected   = "milvuswait.expected_rows"
	keyPolls      = "milvuswait.polls"
	keyFraction   = "milvuswait.progress"
	keyPollResult = "milvuswait.poll.result"

	keyJob         = "milvuswait.job"
	keyUnconfirmed = "milvuswait.unconfirmed"
	keyWaitingFor  = "milvuswait.waiting_for"
)

// checkAttributes returns an error for each attribute that is empty or reserved by this
// package.
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

// isOwn reports whether this package sets the attribute.
func isOwn(key attribute.Key) bool {
	switch key {
	case keySystem, keyOperation, keyCollection, keyError, keyIndex, keyPartitions, keyExpected, keyPolls, keyFraction, keyPollResult,
		keyJob, keyUnconfirmed, keyWaitingFor:
		return true
	}
	return false
}

// operation returns the operation name of a wait, in the style of the conventions.
func operation(kind milvuswait.Kind) string { return "wait_for_" + string(kind) }

// ofTarget returns the attributes that identify a target. It omits jobs, partitions and
// expected rows, which have too many values for metrics.
func ofTarget(kind milvuswait.Kind, collection, index string) []attribute.KeyValue {
	attrs := []attribute.KeyValue{attribute.String(keyOperation, operation(kind))}
	if collection != "" {
		attrs = append(attrs, attribute.String(keyCollection, collection))
	}
	if index != "" {
		attrs = append(attrs, attribute.String(keyIndex, index))
	}
	return attrs
}
