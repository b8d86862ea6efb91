// Package target reads the targets that milvus-wait is given as arguments.
package target

import (
	"errors"
	"fmt"
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
		if err := check(arg, "COLLECTION or COLLECTION:PARTITION,…", append([]string{collection}, partitions...)...); err != nil {
			return nil, err
		}
		targets = append(targets, milvuswait.Loading(collection, partitions...))
	}
	return targets, nil
}

// Indexes reads COLLECTION, for its only index, COLLECTION/INDEX or COLLECTION/*,
// for all of them, from each argument.
func Indexes(args []string) ([]milvuswait.Target, error) {
	targets := make([]milvuswait.Target, 0, len(args))
	for _, arg := range args {
		collection, index, found := strings.Cut(arg, "/")
		names := []string{collection}
		if found && index != milvuswait.AllIndexes {
			names = append(names, index)
		}
		if err := check(arg, "COLLECTION, COLLECTION/INDEX or COLLECTION/*", names...); err != nil {
			return nil, err
		}
		targets = append(targets, milvuswait.IndexBuilding(collection, index))
	}
	return targets, nil
}

// Everything reads a COLLECTION from each argument and returns its load and all
// of its indexes.
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

// separators are in no name that Milvus allows: one in a name is a mistake of
// who typed it, which the server would answer with "not found".
const separators = ":/,=*"

func check(arg, form string, names ...string) error {
	for _, name := range names {
		if err := Name(name); err != nil {
			return fmt.Errorf("%q is not %s: a name %w", arg, form, err)
		}
	}
	return nil
}

// Name returns why no database, collection, partition or index can be called so,
// as what is said of it.
func Name(name string) error {
	switch {
	case name == "":
		return errors.New("is empty")
	case !utf8.ValidString(name):
		return errors.New("is not valid UTF-8")
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.C, r) }):
		return errors.New("holds white space or a control character")
	case strings.ContainsAny(name, separators):
		return fmt.Errorf("holds one of %s", separators)
	}
	return nil
}
