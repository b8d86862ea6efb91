package cli

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/secret"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/target"
)

// completionTimeout is the maximum time of one completion: the user waits for it.
const completionTimeout = time.Second

// A lister returns the words on the server that can complete word.
type lister func(ctx context.Context, s *server, word string) ([]string, error)

// completing returns a function of cobra that completes arguments by list. Without a
// list, or if list fails, there are no completions. After --, they are files.
func (a *app) completing(list lister) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		// Cobra parses the flags twice, once with a -- of its own: ArgsLenAtDash is useless.
		if slices.Contains(a.line[:len(a.line)-1], "--") {
			return nil, cobra.ShellCompDirectiveDefault
		}
		if list == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}

		ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
		defer cancel()
		found := make(chan []string, 1)
		// A file on a dead network file system cannot be interrupted.
		go func() { found <- a.listed(ctx, list, word) }()

		select {
		case words := <-found:
			words = slices.DeleteFunc(words, func(w string) bool { return slices.Contains(args, w) })
			return typeable(words), cobra.ShellCompDirectiveNoFileComp
		case <-ctx.Done():
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
	}
}

// listed returns the words of list that begin with word, or none if it fails.
func (a *app) listed(ctx context.Context, list lister, word string) []string {
	// The command itself needs the contents of a FIFO, and the terminal.
	g := a.global
	for _, file := range []string{g.tokenFile, g.passwordFile, g.tlsCA, g.tlsCert, g.tlsKey} {
		if file != "" && !secret.Rereadable(file) {
			return nil
		}
	}

	s, err := a.open(ctx)
	if err != nil {
		return nil
	}
	defer s.close()

	words, err := list(ctx, s, word)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(words, func(w string) bool {
		return !strings.HasPrefix(w, word) || shown(w, s.mask) != w // not for a terminal
	})
}

// typeable returns the words without special characters of shells. A word with special
// characters is returned only if it is the only one. Bash quotes a single completion, but
// inserts the common beginning of several as it is, and evaluates the line at the next
// completion: a name such as $(command) would be run.
func typeable(words []string) []string {
	if len(words) == 1 {
		return words
	}
	return slices.DeleteFunc(words, func(w string) bool {
		return strings.ContainsFunc(w, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.,:/=@%+", r)
		})
	})
}

// completeCollections is a lister of collections.
func completeCollections(ctx context.Context, s *server, _ string) ([]string, error) {
	names, err := s.collections(ctx)
	return valid(names, target.Collection), err
}

// completeLoads is a lister of collections and, after COLLECTION:, of partitions. It keeps
// the partitions before the last comma.
func completeLoads(ctx context.Context, s *server, word string) ([]string, error) {
	collection, list, found := strings.Cut(word, ":")
	if !found {
		return completeCollections(ctx, s, word)
	}

	names, err := s.partitions(ctx, collection)
	named := strings.Split(list, ",")
	named = named[:len(named)-1]
	names = slices.DeleteFunc(valid(names, target.Name), func(name string) bool {
		return strings.Contains(name, ",") || slices.Contains(named, name)
	})
	return prefixed(collection+":"+strings.Join(append(named, ""), ","), names), err
}

// completeIndexes is a lister of collections and, after COLLECTION/, of indexes.
func completeIndexes(ctx context.Context, s *server, word string) ([]string, error) {
	collection, _, found := strings.Cut(word, "/")
	if !found {
		return completeCollections(ctx, s, word)
	}
	names, err := s.indexes(ctx, collection)
	return prefixed(collection+"/", valid(names, target.Name)), err
}

// completeDatabases is a lister of databases.
func completeDatabases(ctx context.Context, s *server, _ string) ([]string, error) {
	names, err := s.databases(ctx)
	return valid(names, target.Name), err
}

// completeRows completes the value of --rows: COLLECTION=, with a number to follow.
func (a *app) completeRows(cmd *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	names, directive := a.completing(completeCollections)(cmd, nil, word)
	for i := range names {
		names[i] += "="
	}
	return names, directive | cobra.ShellCompDirectiveNoSpace
}

// valid returns the names without a reason against them.
func valid(names []string, reason func(string) error) []string {
	return slices.DeleteFunc(names, func(name string) bool { return reason(name) != nil })
}

// prefixed returns the names with prefix in front.
func prefixed(prefix string, names []string) []string {
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = prefix + name
	}
	return words
}

// anyFile completes the value of a flag for a file.
func anyFile(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

// completeFlags sets the completions of global flags. The default, also of commands, is
// none: most flags take no file.
func (a *app) completeFlags(root *cobra.Command) {
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	complete := map[string]cobra.CompletionFunc{
		"output": cobra.FixedCompletions([]string{"text", "json", "jsonl"}, cobra.ShellCompDirectiveNoFileComp),
		"db":     a.completing(completeDatabases),
	}
	for _, flag := range []string{"token-file", "password-file", "tls-ca", "tls-cert", "tls-key"} {
		complete[flag] = anyFile
	}
	for flag, f := range complete {
		_ = root.RegisterFlagCompletionFunc(flag, f)
	}
}
