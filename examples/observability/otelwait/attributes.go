package otelwait

import (
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/milvuswait/milvuswait"
)

// ownPrefix begins the attribute keys of this package.
const ownPrefix = "milvuswait."

// Attribute keys. Keys without ownPrefix belong to the semantic conventions for databases.
// These define no system name for Milvus.
const (
	keySystem     = "db.system.name"
	keyOperation  = "db.operation.name"
	keyCollection = "db.collection.name"
	keyError      = "error.type"
	keyIndex      = ownPrefix + "index"
	keyPartitions = ownPrefix + "partitions"
	keyBehind     = ownPrefix + "index.behind"
	keyExpected   = ownPrefix + "expected_rows"
	keyPolls      = ownPrefix + "polls"
	keyFraction   = ownPrefix + "progress"
	keyAnswer     = ownPrefix + "answer"
	keyPollResult = ownPrefix + "poll.result"

	keyJob         = ownPrefix + "job"
	keyUnconfirmed = ownPrefix + "unconfirmed"
	keyWaitingFor  = ownPrefix + "waiting_for"
)

// checkAttributes returns an error for each attribute that is empty or reserved by this
// package.
func checkAttributes(attrs []attribute.KeyValue) error {
	var errs []error
	for n, attr := range attrs {
		switch {
		case !attr.Valid():
			errs = append(errs, fmt.Errorf("otelwait: attribute %d of %d, %q, has no key or no value", n+1, len(attrs), attr.Key))
		case isReserved(attr.Key):
			errs = append(errs, fmt.Errorf("otelwait: attribute %q is reserved", attr.Key))
		}
	}
	return errors.Join(errs...)
}

// isReserved reports whether the key may belong to this package. Its own keys have a common
// prefix, except for those of the conventions.
func isReserved(key attribute.Key) bool {
	switch key {
	case keySystem, keyOperation, keyCollection, keyError:
		return true
	}
	return strings.HasPrefix(string(key), ownPrefix)
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
