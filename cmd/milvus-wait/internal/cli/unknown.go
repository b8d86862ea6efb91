package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/nearest"
)

// adviceSecret is the hint for flags with a secret in other programs. Other users of the
// machine can see a command line.
const adviceSecret = "a secret comes from a file or the environment: use --token-file, --user with --password-file, or MILVUS_TOKEN"

// secretNames are the names of such flags, longer ones before their beginnings.
var secretNames = []string{"token", "api-key", "api_key", "apikey", "password", "passwd", "passphrase", "pass", "pwd", "secret", "credentials"}

// otherNames has flags of other programs, with a name unlike the one here.
var otherNames = map[string]string{
	"host": "uri", "port": "uri", "address": "uri", "endpoint": "uri", "url": "uri",
	"database": "db", "db-name": "db", "username": "user", "deadline": "timeout", "format": "output", "silent": "quiet",
}

// unknownFlag returns the error about an unknown flag of cmd, with the flags that may be
// meant. The error never contains a value, because other programs take passwords as
// --password=SECRET and as -pSECRET.
func unknownFlag(cmd *cobra.Command, err *pflag.NotExistError) error {
	name, word := err.GetSpecifiedName(), err.GetSpecifiedName()
	dashes := "--"
	similar := nearest.Names(word, flagsOf(cmd), 3)
	if letters := err.GetSpecifiedShortnames(); letters != "" {
		dashes = "-"
		word, _, _ = strings.Cut(letters, "=")
		similar = beginning(flagsOf(cmd), name, 3)
	}

	secret, advice := secretName(word), ""
	switch other := otherNames[word]; {
	case secret != "" && len(word) == len(secret):
		advice = adviceSecret
	case cmd.Flags().Lookup(word) != nil: // one dash before the whole name
		advice = didYouMean(word)
	case owners(cmd, word) != nil:
		advice = "it is a flag of " + either(owners(cmd, word), "and")
	case len(similar) > 0:
		advice = didYouMean(similar...)
	case secret != "":
		advice = adviceSecret
	case other != "" && cmd.Flags().Lookup(other) != nil:
		advice = didYouMean(other)
	}

	if secret != "" && dashes == "--" {
		name = secret // the rest may be the value
	}
	text := "unknown flag: " + dashes + name
	if advice != "" {
		text += "; " + advice
	}
	return errors.New(text)
}

// secretName returns the element of secretNames with which name begins, or "".
func secretName(name string) string {
	for _, secret := range secretNames {
		if strings.HasPrefix(strings.ToLower(name), secret) {
			return secret
		}
	}
	return ""
}

// flagsOf returns the names of the flags in the help of cmd, in their order.
func flagsOf(cmd *cobra.Command) (names []string) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return names
}

// beginning returns up to most of names with the prefix.
func beginning(names []string, prefix string, most int) (found []string) {
	for _, name := range names {
		if strings.HasPrefix(name, prefix) && len(found) < most {
			found = append(found, name)
		}
	}
	return found
}

// owners returns the other commands with the flag, as typed.
func owners(cmd *cobra.Command, flag string) (paths []string) {
	for _, other := range cmd.Root().Commands() {
		if other != cmd && other.IsAvailableCommand() && other.Flags().Lookup(flag) != nil {
			paths = append(paths, other.CommandPath())
		}
	}
	return paths
}

// didYouMean returns a question about flags.
func didYouMean(flags ...string) string {
	dashed := make([]string, len(flags))
	for i, flag := range flags {
		dashed[i] = "--" + flag
	}
	return "did you mean " + either(dashed, "or") + "?"
}

// either returns words as a list in text, such as "a, b or c".
func either(words []string, conjunction string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}

	return strings.Join(words[:last], ", ") + " " + conjunction + " " + words[last]
}
