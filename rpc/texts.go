package rpc

import (
	"regexp"
	"strings"
	"unicode"
)

// texts lists words of servers, in lower case. The first match in a reason decides. Each
// has a space or a sign, which the names of collections, partitions and indexes cannot
// have: no name matches.
var texts = []struct {
	class class
	texts []string
}{
	{transient, []string{
		"deadline exceeded", "= deadlineexceeded", "= unavailable", "service unavailable", "= canceled", "context canceled",
		"not ready", "not healthy", "no available", "attempts results",
		"connection refused", "connection reset", "connection is closing", "transport is closing", "broken pipe",
		"is unavailable", "temporarily unavailable", "timed out", "i/o timeout", "request timeout", ": eof",
		"etcdserver:", "rate limit", "too many requests",
		"failed to get segment", // GetPersistentSegmentInfo, while a compaction replaces segments
	}},
	{permanent, []string{
		"auth check failure", "not authenticated", "permission deny", "privilege not permitted",
		"invalid collection name", "invalid partition name", "invalid index name", "invalid database name",
		"name should not be empty",
	}},
	{invalidArgument, []string{"cannot parse expression"}}, // Query
	{partitionNotFound, []string{"partition is not exist", "partition not found"}},
	{databaseNotFound, []string{"database not found", "database not exist"}},
	{collectionNotFound, []string{"can't find collection", "collection not found"}},
	{indexNotFound, []string{"index not exist", "index doesn't exist", "index not found", "no index on collection", "no index on field"}},
	{ambiguousIndex, []string{"there are multiple indexes", "index duplicates"}},
	{loadFailed, []string{
		"out of memory", "oom if load", "insufficient memory", "no enough memory", "memory limit exceeded",
		"no enough disk", "disk limit exceeded", "load segment failed",
	}},
	{jobNotFound, []string{"import task id doesn't exist", "import job does not exist", "/importtask/"}},
	{notLoaded, []string{"has not been loaded", "invalid data num", "collection not loaded", "partition not loaded"}},
}

// noDatabaseForm matches the end of a reason of 2.2.12 to 2.3.1 for a database that does
// not exist. The words alone are not enough, since the name is between them.
var noDatabaseForm = regexp.MustCompile(`(^|: )database:\S.* not found$`)

// classOfText returns the class of a reason in lower case, or undecided if it contains
// none of texts.
func classOfText(reason string) class {
	for _, t := range texts {
		for _, text := range t.texts {
			if strings.Contains(reason, text) {
				return t.class
			}
		}
	}

	if noDatabaseForm.MatchString(reason) {
		return databaseNotFound
	}
	return undecided
}

// notLoadedForm matches the text of a server for a released collection or partition, or
// for one not loaded yet. Milvus 2.3.0 to 2.3.3 write the name or ID before these words,
// 2.3.4 and newer behind them. A list of IDs is in brackets.
var notLoadedForm = regexp.MustCompile(
	`((database|collection|partition)=(\[[^\]]*\]|[^:\s]+): )*(collection|partition)( '[^']*')?( is)? not (fully )?loaded(\[[^\]]*\])*|` +
		`(collection|partition) \d+ has not been loaded to memory or load failed|` +
		`call query coordinator \w+|fail(ed)? to show (collections|partitions)( from the querycoord)?`)

// hasCause reports whether a reason of the codes "not loaded", in lower case, also
// contains why the load failed.
func hasCause(reason string) bool {
	return strings.ContainsFunc(notLoadedForm.ReplaceAllString(reason, ""), func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r)
	})
}
