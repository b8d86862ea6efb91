package cli_test

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEnvironment_AgreeingVariables_AreSent sets the address, the database and the
// credentials in the ways of pymilvus and of its users.
func TestEnvironment_AgreeingVariables_AreSent(t *testing.T) {
	tests := []struct {
		name     string
		env      map[string]string // SERVER is replaced by the address
		args     string
		database string // "" without a header
		token    string // "" without credentials
	}{
		{"address", map[string]string{"MILVUS_URI": "http://SERVER"}, "", "", ""},
		{"address without a scheme", map[string]string{"MILVUS_ADDRESS": "SERVER"}, "", "", ""},
		{"two forms of one address", map[string]string{"MILVUS_URI": "SERVER", "MILVUS_ADDRESS": "http://SERVER/"}, "", "", ""},
		{"newline at the end", map[string]string{"MILVUS_URI": "http://SERVER/shop\n", "MILVUS_DB": "shop\r\n"}, "", "shop", ""},
		{"MILVUS_DB", map[string]string{"MILVUS_URI": "SERVER", "MILVUS_DB": "shop"}, "", "shop", ""},
		{"MILVUS_DB_NAME", map[string]string{"MILVUS_URI": "SERVER", "MILVUS_DB_NAME": "shop"}, "", "shop", ""},
		{"MILVUS_DATABASE", map[string]string{"MILVUS_URI": "SERVER", "MILVUS_DATABASE": "shop"}, "", "shop", ""},
		{"all of them", map[string]string{
			"MILVUS_URI": "SERVER/shop", "MILVUS_ADDRESS": "SERVER", "MILVUS_DB": "shop", "MILVUS_DB_NAME": "shop", "MILVUS_DATABASE": "shop",
		}, "", "shop", ""},
		{"--db", map[string]string{"MILVUS_URI": "SERVER/a", "MILVUS_DB": "b", "MILVUS_DATABASE": "c"}, "--db shop", "shop", ""},
		{"path of --uri", map[string]string{"MILVUS_URI": "other/a", "MILVUS_DB": "b"}, "--uri SERVER/shop", "shop", ""},
		{"--uri and a variable", map[string]string{"MILVUS_URI": "other/a", "MILVUS_DB": "shop"}, "--uri SERVER", "shop", ""},
		{"address with credentials", map[string]string{"MILVUS_URI": "http://root:hunt@er22%@SERVER/shop"}, "", "shop", "root:hunt@er22%"},
		{"MILVUS_ADDRESS with credentials", map[string]string{"MILVUS_ADDRESS": "root:hunter22@SERVER"}, "", "", "root:hunter22"},
		{"MILVUS_TOKEN", map[string]string{"MILVUS_URI": "SERVER", "MILVUS_TOKEN": "root:hunter22\n"}, "", "", "root:hunter22"},
		{"MILVUS_USER", map[string]string{"MILVUS_URI": "SERVER", "MILVUS_USER": "root", "MILVUS_PASSWORD": `"hunter22"`}, "", "", `root:"hunter22"`},
		{"MILVUS_USERNAME", map[string]string{"MILVUS_URI": "SERVER", "MILVUS_USERNAME": "root", "MILVUS_PASSWORD": "hunter22"}, "", "", "root:hunter22"},
		{"all of the credentials", map[string]string{
			"MILVUS_URI": "http://root:hunter22@SERVER", "MILVUS_TOKEN": "root:hunter22", "MILVUS_USER": "root", "MILVUS_USERNAME": "root", "MILVUS_PASSWORD": "hunter22",
		}, "", "", "root:hunter22"},
		{"empty variables", map[string]string{
			"MILVUS_URI": "SERVER", "MILVUS_ADDRESS": "", "MILVUS_DB": "", "MILVUS_TOKEN": "", "MILVUS_USER": "", "MILVUS_PASSWORD": "", "MILVUS_HOST": "",
		}, "", "", ""},
		{"--uri without the credentials of MILVUS_URI", map[string]string{"MILVUS_URI": "http://root:hunter22@SERVER"}, "--uri SERVER", "", ""},
		{"--token-file", map[string]string{
			"MILVUS_URI": "http://a:b@SERVER", "MILVUS_TOKEN": "c:d", "MILVUS_USER": "e",
		}, "--token-file testdata/token", "", "root:from-a-file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := &guarded{token: tt.token, refusal: refusals["Unauthenticated"]}
			address := strings.TrimPrefix(g.serve(t), "http://")
			env := make(map[string]string)
			for name, value := range tt.env {
				env[name] = strings.ReplaceAll(value, "SERVER", address)
			}
			args := strings.Fields("progress load docs " + strings.ReplaceAll(tt.args, "SERVER", address))

			code, _, stderr := run(env, args...)

			require.Zero(t, code, stderr)
			require.NotEmpty(t, g.headers["GetLoadingProgress"])
			for _, md := range g.headers["GetLoadingProgress"] {
				require.Equal(t, tt.database, strings.Join(md.Get("dbname"), ","))
				require.Equal(t, tt.token != "", len(md.Get("authorization")) > 0)
			}
		})
	}
}

// TestEnvironment_Wrong_IsUsageError requires the names of the variables and none of the
// values.
func TestEnvironment_Wrong_IsUsageError(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		want string
	}{
		{"two addresses", map[string]string{"MILVUS_ADDRESS": "other:1"}, "MILVUS_URI and MILVUS_ADDRESS differ: unset one of them"},
		{"two schemes", map[string]string{"MILVUS_ADDRESS": "https://127.0.0.1:1"}, "MILVUS_URI and MILVUS_ADDRESS differ: unset one of them"},
		{"second address wrong", map[string]string{"MILVUS_ADDRESS": "hunter22 "}, "MILVUS_URI and MILVUS_ADDRESS differ: unset one of them"},
		{"second address malformed", map[string]string{"MILVUS_ADDRESS": "'hunter22'"}, "MILVUS_ADDRESS: not http://HOST:PORT, https://HOST:PORT or HOST:PORT: it has quotation marks around it: leave them out"},
		{"two databases", map[string]string{"MILVUS_DB": "hunter22", "MILVUS_DB_NAME": "b"}, "MILVUS_DB and MILVUS_DB_NAME differ: unset one of them"},
		{"three databases", map[string]string{"MILVUS_DB": "a", "MILVUS_DB_NAME": "a", "MILVUS_DATABASE": "b"}, "MILVUS_DB and MILVUS_DATABASE differ: unset one of them"},
		{"path of the address", map[string]string{"MILVUS_URI": "http://127.0.0.1:1/a", "MILVUS_DATABASE": "b"}, "MILVUS_DATABASE and MILVUS_URI differ: unset one of them"},
		{"database in quotation marks", map[string]string{"MILVUS_DB_NAME": "'a'"}, "MILVUS_DB_NAME: it has quotation marks around it: leave them out"},
		{"two users", map[string]string{"MILVUS_USER": "a", "MILVUS_USERNAME": "b"}, "MILVUS_USER and MILVUS_USERNAME differ: unset one of them"},
		{"token and password", map[string]string{"MILVUS_TOKEN": "root:hunter22", "MILVUS_USER": "root", "MILVUS_PASSWORD": "hunter23"}, "MILVUS_TOKEN and MILVUS_USER with MILVUS_PASSWORD differ: unset one of them"},
		{"address and token", map[string]string{"MILVUS_URI": "root:hunter22@127.0.0.1:1", "MILVUS_TOKEN": "hunter23"}, "MILVUS_TOKEN and MILVUS_URI differ: unset one of them"},
		{"two addresses with credentials", map[string]string{"MILVUS_URI": "root:hunter22@127.0.0.1:1", "MILVUS_ADDRESS": "root:hunter23@127.0.0.1:1"}, "MILVUS_URI and MILVUS_ADDRESS differ: unset one of them"},
		{"user alone", map[string]string{"MILVUS_USERNAME": "hunter22"}, "MILVUS_USERNAME is set without MILVUS_PASSWORD"},
		{"password alone", map[string]string{"MILVUS_PASSWORD": "hunter22"}, "MILVUS_PASSWORD is set without MILVUS_USER"},
		{"user with a colon", map[string]string{"MILVUS_USER": "root:hunter22", "MILVUS_PASSWORD": "hunter22"}, "MILVUS_USER holds a colon, which ends the name of a user"},
		{"user in quotation marks", map[string]string{"MILVUS_USER": `"root"`, "MILVUS_PASSWORD": "hunter22"}, "MILVUS_USER: it has quotation marks around it: leave them out"},
		{"token in quotation marks", map[string]string{"MILVUS_TOKEN": "'root:hunter22'"}, "MILVUS_TOKEN: it has quotation marks around it: leave them out"},
		{"password of two lines", map[string]string{"MILVUS_USER": "root", "MILVUS_PASSWORD": "hunter22\nhunter23"}, "MILVUS_PASSWORD: it has several lines: a secret has one"},
		{"MILVUS_HOST", map[string]string{"MILVUS_URI": "", "MILVUS_HOST": "hunter22"}, "MILVUS_HOST is set, but not read: set MILVUS_URI to http://HOST:PORT or https://HOST:PORT"},
		{"MILVUS_URL", map[string]string{"MILVUS_URI": "", "MILVUS_URL": "http://hunter22"}, "MILVUS_URL is set, but not read: set MILVUS_URI to http://HOST:PORT or https://HOST:PORT"},
	}
	for _, tt := range tests {
		for _, command := range []string{"load docs", "progress load docs", "ready", "load --all -o json"} {
			t.Run(tt.name+" "+command, func(t *testing.T) {
				env := map[string]string{"MILVUS_URI": "http://127.0.0.1:1"}
				maps.Copy(env, tt.env)

				code, stdout, stderr := run(env, strings.Fields(command)...)

				require.Equal(t, 2, code, stderr)
				require.Contains(t, stdout+stderr, tt.want)
				require.NotContains(t, stdout+stderr, "hunter2")
			})
		}
	}
}

// TestHints_NameTheSetting requires the name of the flag or variable in the hint, and none
// of those that are not set.
func TestHints_NameTheSetting(t *testing.T) {
	const (
		collections = "load nosuch"
		lists       = "load --all"
		quoted      = ": it has quotation marks around it, and they are sent too"
	)
	tests := []struct {
		name string
		env  map[string]string // SERVER is replaced by the address
		args string
		want string
	}{
		{"database, none", nil, collections, "check --db and MILVUS_DB"},
		{"database, flag", nil, collections + " --db default", "check --db"},
		{"database, variable", map[string]string{"MILVUS_DB_NAME": "default"}, collections, "check MILVUS_DB_NAME"},
		{"database, path", map[string]string{"MILVUS_URI": "SERVER/default"}, collections, "check the path of MILVUS_URI"},
		{"database, path of a flag", nil, collections + " --uri SERVER/default", "check the path of --uri"},
		{"missing database, flag", nil, lists + " --db shop", "check --db, which sets it"},
		{"missing database, variable", map[string]string{"MILVUS_DATABASE": "shop"}, lists, "check MILVUS_DATABASE, which sets it"},
		{"missing database, path", map[string]string{"MILVUS_URI": "", "MILVUS_ADDRESS": "SERVER/shop"}, lists, "check the path of MILVUS_ADDRESS, which sets it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t)
			env := map[string]string{"MILVUS_URI": "SERVER"}
			maps.Copy(env, tt.env)
			for name, value := range env {
				env[name] = strings.ReplaceAll(value, "SERVER", s.Address())
			}

			code, _, stderr := run(env, append(strings.Fields(strings.ReplaceAll(tt.args, "SERVER", s.Address())), "-q")...)

			require.Equal(t, 1, code, stderr)
			require.Regexp(t, `; `+tt.want+`\n|hint: `+tt.want+`(;.*)?\n`, stderr)
		})
	}

	tokens := []struct {
		name string
		env  map[string]string
		args string
		want string
	}{
		{"token, none", nil, "", "--token-file, --user with --password-file, or MILVUS_TOKEN)"},
		{"token, variable", map[string]string{"MILVUS_TOKEN": "root:hunter22"}, "", "MILVUS_TOKEN)"},
		{"token, address", map[string]string{"MILVUS_URI": "root:hunter22@SERVER"}, "", "MILVUS_URI)"},
		{"user, variables", map[string]string{"MILVUS_USERNAME": "root", "MILVUS_PASSWORD": "hunter22"}, "", "MILVUS_USERNAME with MILVUS_PASSWORD)"},
		{"user, quotation marks", map[string]string{"MILVUS_USER": "root", "MILVUS_PASSWORD": "'hunter22'"}, "", "MILVUS_USER with MILVUS_PASSWORD)" + quoted},
		{"token, file", nil, "--token-file FILE", "--token-file)"},
		{"token, quotation marks", nil, "--token-file QUOTED", "--token-file)" + quoted},
		{"user, file", nil, "--user root --password-file FILE", "--user with --password-file)"},
		{"password, quotation marks", nil, "--user root --password-file QUOTED", "--user with --password-file)" + quoted},
	}
	file, quotes := filepath.Join(t.TempDir(), "file"), filepath.Join(t.TempDir(), "quoted")
	write(t, file, "root:hunter22\n")
	write(t, quotes, "\"root:hunter22\"\n")
	for _, tt := range tokens {
		for _, command := range []string{"load docs", "load --all", "ready", "progress load docs"} {
			t.Run(tt.name+" "+command, func(t *testing.T) {
				g := &guarded{token: "other", refusal: refusals["Unauthenticated"]}
				address := strings.TrimPrefix(g.serve(t), "http://")
				env := map[string]string{"MILVUS_URI": "SERVER"}
				maps.Copy(env, tt.env)
				env["MILVUS_URI"] = strings.ReplaceAll(env["MILVUS_URI"], "SERVER", address)
				args := strings.NewReplacer("FILE", file, "QUOTED", quotes).Replace(command + " " + tt.args)

				code, _, stderr := run(env, append(strings.Fields(args), "-q")...)

				require.Equal(t, 1, code, stderr)
				require.Contains(t, stderr, "check the token ("+tt.want+"\n")
				require.NotContains(t, stderr, "hunter22")
			})
		}
	}
}
