// Package target reads the arguments of milvus-wait as targets.
package target

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/milvuswait/milvuswait"
)

// Loads reads COLLECTION or COLLECTION:PARTITION,… from each argument.
func Loads(args []string) ([]milvuswait.Target, error) {
	targets := make([]milvuswait.Target, 0, len(args))
	for _, arg := range args {
		collection, list, found := strings.Cut(arg, ":")
		var partitions []string
		if found {
			partitions = strings.Split(list, ",")
		}

		if err := check(arg, "COLLECTION or COLLECTION:PARTITION,…", collection, partitions...); err != nil {
			return nil, err
		}
		targets = append(targets, milvuswait.Loading(collection, partitions...))
	}
	return targets, nil
}

// Indexes reads one of COLLECTION, for its only index, COLLECTION/INDEX and COLLECTION/*, for
// all indexes, from each argument. The name of an index may contain slashes: a server makes
// names such as meta/price for indexes of JSON paths.
func Indexes(args []string) ([]milvuswait.Target, error) {
	targets := make([]milvuswait.Target, 0, len(args))
	for _, arg := range args {
		collection, index, found := strings.Cut(arg, "/")
		var names []string
		if found {
			names = []string{index}
		}

		if err := check(arg, "COLLECTION, COLLECTION/INDEX or COLLECTION/*", collection, names...); err != nil {
			return nil, err
		}
		targets = append(targets, milvuswait.IndexBuilding(collection, index))
	}
	return targets, nil
}

// Everything reads a COLLECTION from each argument. It returns two targets for each: its
// load and all its indexes.
func Everything(args []string) ([]milvuswait.Target, error) {
	targets := make([]milvuswait.Target, 0, 2*len(args))
	for _, arg := range args {
		if err := check(arg, "COLLECTION", arg); err != nil {
			return nil, err
		}
		targets = append(targets, milvuswait.IndexBuilding(arg, milvuswait.AllIndexes), milvuswait.Loading(arg))
	}
	return targets, nil
}

// Imports reads the number of an import from each argument.
func Imports(args []string) ([]milvuswait.Target, error) {
	return jobs(args, "JOB", milvuswait.Importing)
}

// Compactions reads the id of a compaction from each argument.
func Compactions(args []string) ([]milvuswait.Target, error) {
	return jobs(args, "ID", milvuswait.Compacting)
}

// jobs reads a positive integer from each argument.
func jobs(args []string, form string, target func(int64) milvuswait.Target) ([]milvuswait.Target, error) {
	targets := make([]milvuswait.Target, 0, len(args))
	for _, arg := range args {
		if err := NoAddress(arg); err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(arg, 10, 64)
		if err != nil || n <= 0 {
			return nil, fmt.Errorf("%q is not %s: must be a positive integer", arg, form)
		}

		targets = append(targets, target(n))
	}
	return targets, nil
}

// NoAddress returns an error for an argument that is the URI of a server. Without it,
// http://milvus would be the partition //milvus of a collection http. The error does not
// quote the argument, because it may contain a password.
func NoAddress(arg string) error {
	if isURI.MatchString(arg) {
		return errors.New("an argument is the address of a server: use --uri or MILVUS_URI for it")
	}
	return nil
}

var isURI = regexp.MustCompile(`^\s*[A-Za-z][A-Za-z0-9+.-]*://`)

// check returns an error for an argument that is an address, or with an invalid name of a
// collection, or of its partitions or index.
func check(arg, form, collection string, parts ...string) error {
	if err := NoAddress(arg); err != nil {
		return err
	}

	err := Collection(collection)
	for _, part := range parts {
		err = cmp.Or(err, Name(part))
	}

	if err != nil {
		return fmt.Errorf("%q is not %s: a name %w", arg, form, err)
	}
	return nil
}

// Name returns the reason why name is invalid for a database, partition or index, as a
// predicate such as "is empty", or nil. Further rules are the server's: they change with its
// version and settings.
func Name(name string) error {
	switch {
	case name == "":
		return errors.New("is empty")
	case !utf8.ValidString(name):
		return errors.New("is not valid UTF-8")
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(unicode.C, r) }):
		return errors.New("holds a control character")
	}
	return nil
}

// separators are the characters with a meaning in arguments. Milvus allows none of them in
// names of collections: without this check, a server would answer a typing error with "not
// found".
const separators = ":/,=*"

// Collection returns the reason why name is invalid for a collection, as Name does.
func Collection(name string) error {
	switch {
	case strings.ContainsFunc(name, unicode.IsSpace):
		return errors.New("holds white space")
	case strings.ContainsAny(name, separators):
		return fmt.Errorf("holds one of %s", separators)
	}
	return Name(name)
}
