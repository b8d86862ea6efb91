package cli_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUnknownFlags(t *testing.T) {
	const aboutSecrets = "; a secret comes from a file or the environment: use --token-file, --user with --password-file, or MILVUS_TOKEN"
	tests := []struct{ name, args, want string }{
		{"a missing letter", "load docs --timout 5s", "--timout; did you mean --timeout?"},
		{"a dash too many", "load docs --time-out=5s", "--time-out; did you mean --timeout?"},
		{"the beginning of several", "load docs --tls", "--tls; did you mean --tls-ca, --tls-key or --tls-cert?"},
		{"a letter", "load docs -t 5s", "-t; did you mean --timeout, --token-file or --tls-ca?"},
		{"a letter without a flag", "load docs -z", "-z"},
		{"one dash", "load docs -timeout 5s", "-t; did you mean --timeout?"},
		{"one dash and a value", "load docs -timeout=5s", "-t; did you mean --timeout?"},
		{"a flag of other programs", "load docs --host milvus", "--host; did you mean --uri?"},
		{"a flag of other commands", "load docs --rows 5", "--rows; it is a flag of milvus-wait all and milvus-wait index"},
		{"a flag for waits", "progress load docs --verify 5s", "--verify; it is a flag of milvus-wait all, milvus-wait index and milvus-wait load"},
		{"before the command", "--timout 5s load docs", "--timout; did you mean --timeout?"},
		{"without a command", "--nonsense", "--nonsense"},
		{"nothing like it", "load docs --nonsense=hunter22", "--nonsense"},

		{"a token", "load docs --token root:hunter22", "--token" + aboutSecrets},
		{"a token in capitals", "load docs --TOKEN=hunter22", "--token" + aboutSecrets},
		{"a token after one dash", "load docs -token=hunter22", "-t" + aboutSecrets},
		{"a token before the command", "--token root:hunter22 load docs", "--token" + aboutSecrets},
		{"a password", "load docs --password=hunter22", "--password" + aboutSecrets},
		{"a password without a space", "load docs --passwordhunter22", "--password" + aboutSecrets},
		{"a password after a letter", "load docs -phunter22", "-p; did you mean --password-file?"},
		{"a key", "ready --api-key hunter22", "--api-key" + aboutSecrets},
		{"almost the right flag", "load docs --token-fil hunter22", "--token; did you mean --token-file?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := run(nil, strings.Fields(tt.args)...)

			require.Equal(t, 2, code)
			require.Empty(t, stdout)
			require.Equal(t, "milvus-wait: unknown flag: "+tt.want+"\nmilvus-wait: see milvus-wait --help\n", stderr)
		})
	}
}

func TestDurationsWithoutUnit(t *testing.T) {
	for value, want := range map[string]string{
		"600": "--timeout 600 has no unit: say 600s for seconds",
		"inf": `invalid argument "inf" for "--timeout" flag: time: invalid duration "inf"`,
		"NaN": `invalid argument "NaN" for "--timeout" flag: time: invalid duration "NaN"`,
	} {
		t.Run(value, func(t *testing.T) {
			code, _, stderr := run(nil, "load", "docs", "--timeout", value)

			require.Equal(t, 2, code)
			require.Equal(t, "milvus-wait: "+want+"\nmilvus-wait: see milvus-wait --help\n", stderr)
		})
	}
}
