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

func TestDurations_Invalid_AreExplained(t *testing.T) {
	const noLimit, example = "; 0 means no limit", ": must be a duration such as 90s, 10m or 1h30m; 0 means no limit"
	for value, want := range map[string]string{
		"600":      "600 has no unit: use 600s for seconds",
		"1.5":      "1.5 has no unit: use 1.5s for seconds",
		"-1":       "-1 is negative" + noLimit,
		"-1s":      "-1s is negative" + noLimit,
		"":         "is empty",
		" ":        "is empty",
		"9999999h": "9999999h is too long" + noLimit,
		"inf":      `"inf"` + example,
		"infs":     `"infs"` + example,
		"NaN":      `"NaN"` + example,
		"never":    `"never"` + example,
		"1d":       `"1d"` + example,
		"10min":    `"10min"` + example,
		"5 m":      `"5 m"` + example,
		"5M":       `"5M"` + example,
		"5mm":      `"5mm"` + example,
		"1,5s":     `"1,5s"` + example,
		"1h30":     `"1h30"` + example,
		"1e3":      `"1e3"` + example,
	} {
		t.Run(value, func(t *testing.T) {
			code, _, stderr := run(nil, "load", "docs", "--timeout", value)

			require.Equal(t, 2, code)
			require.Equal(t, "milvus-wait: --timeout "+want+"\nmilvus-wait: see milvus-wait --help\n", stderr)
		})
	}
}

func TestDurations_ZeroHasNoMeaning_IsNotOffered(t *testing.T) {
	_, _, stderr := run(nil, "load", "docs", "--grace", "soon")
	require.Contains(t, stderr, "--grace \"soon\": must be a duration such as 90s, 10m or 1h30m\n")
}
