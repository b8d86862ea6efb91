package milvuswait

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Target is the target of a wait, made by [Loading], [IndexBuilding], [Flushing],
// [Importing], [Compacting] or [Serving]. Targets are comparable with == and can be keys of
// maps. The zero Target is invalid.
type Target struct {
	kind       Kind
	collection string
	index      string
	partitions string // names joined by NUL: a slice would not be comparable
	mark       string // flush mark, see encodeMark; "" if there is none
	rows       int64  // expected rows
	job        int64
}

// ExpectRows returns t with expected rows: it is complete when the server reports at
// least n rows, all of them indexed. See [WithExpectedRows].
func (t Target) ExpectRows(n int64) Target {
	t.rows = n
	return t
}

// Kind returns the kind of work.
func (t Target) Kind() Kind { return t.kind }

// Collection returns the name of the collection. It is "" for a job and for a server.
func (t Target) Collection() string { return t.collection }

// Partitions returns the names of the partitions, nil for the whole collection.
func (t Target) Partitions() []string {
	if t.partitions == "" {
		return nil
	}
	return strings.Split(t.partitions, nul)
}

// Index returns the name of the index: "" for the only one, or AllIndexes.
func (t Target) Index() string { return t.index }

// ExpectedRows returns the number of expected rows, or 0.
func (t Target) ExpectedRows() int64 { return t.rows }

// String returns the target as errors name it, such as `loading "docs"` or
// `index "vidx" of "docs"`.
func (t Target) String() string {
	k := findKind(t.kind)
	if k == nil {
		return "no target"
	}
	return k.describe(t)
}

const (
	nul         = "\x00"
	invalidName = "\xff"
)

func (t Target) withPartitions(names []string) Target {
	t.partitions = strings.Join(names, nul)
	switch {
	case len(names) == 1 && names[0] == "":
		t.partitions = nul // an empty name must not read as "no partitions"
	case strings.Count(t.partitions, nul) >= max(1, len(names)):
		t.partitions = invalidName // a NUL in a name must not read as two names
	}
	return t
}

// validate returns ErrInvalid for an invalid target, and names the fault.
func (t Target) validate() error {
	k := findKind(t.kind)
	switch {
	case t.kind == "":
		return fmt.Errorf("%w: the zero Target; use a function such as Loading", ErrInvalid)
	case k == nil:
		return fmt.Errorf("%w: no wait is of kind %q", ErrInvalid, t.kind)
	case t.rows < 0:
		return fmt.Errorf("%w: expected rows: %d is negative", ErrInvalid, t.rows)
	case t.rows > 0 && k.options&optExpectedRows == 0:
		return fmt.Errorf("%w: expected rows are for indexes, not for %v", ErrInvalid, t)
	case t.mark != "" && k.options&optFlush == 0 && k != flushingKind:
		return fmt.Errorf("%w: a flush mark is for indexes and flushes, not for %v", ErrInvalid, t)
	}

	if err := validateMark(t); err != nil {
		return err
	}
	return k.validate(t)
}

// validateName refuses names that cannot be sent. Milvus checks the rest.
func validateName(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: the name of the %s is empty", ErrInvalid, what)
	case !utf8.ValidString(name) || strings.Contains(name, nul):
		return fmt.Errorf("%w: the name of the %s, %q, is not valid UTF-8 without NUL", ErrInvalid, what, name)
	}
	return nil
}
