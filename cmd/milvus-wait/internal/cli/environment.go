package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/dial"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/secret"
)

// Variables of the environment, as users of pymilvus and of the SDKs set them. The variables
// of one line have the same meaning and must agree.
var (
	addressVariables  = []string{"MILVUS_URI", "MILVUS_ADDRESS"}
	databaseVariables = []string{"MILVUS_DB", "MILVUS_DB_NAME", "MILVUS_DATABASE"}
	userVariables     = []string{"MILVUS_USER", "MILVUS_USERNAME"}

	// foreignVariables are in use for the address, but in no common form. They are an error if
	// no other variable has an address: the default would be another server. With one they
	// have no effect, because they may be for another program, or have another name of the
	// same server. MILVUS_PORT is not among them, because Kubernetes sets it for a Service
	// called milvus.
	foreignVariables = []string{"MILVUS_HOST", "MILVUS_URL", "MILVUS_ENDPOINT", "MILVUS_ADDR", "MILVUS_DEFAULT_CONNECTION"}
)

// setting is a value and the name of the flag or variable it comes from.
type setting struct {
	name, value string
	quoted      bool // the secret in it has quotation marks around it
}

// agreed returns the first setting with a value, or none. It returns an error if another one
// has a different value. The error names both without their values, because these may be
// secret.
func agreed(settings ...setting) (setting, error) {
	var first setting
	for _, s := range settings {
		switch {
		case s.value == "" || s.value == first.value:
		case first.value == "":
			first = s
		default:
			return setting{}, fmt.Errorf("%s and %s differ: unset one of them", first.name, s.name)
		}
	}
	return first, nil
}

// variables returns the settings of public variables. It returns an error for a value in
// quotation marks, because Docker and Kubernetes do not remove them.
func (a *app) variables(names ...string) ([]setting, error) {
	var settings []setting
	for _, name := range names {
		value := strings.TrimSpace(a.Getenv(name))
		if inQuotes(value) {
			return nil, asked(name, errQuotes)
		}
		settings = append(settings, setting{name: name, value: value})
	}
	return settings, nil
}

var errQuotes = errors.New("it has quotation marks around it: leave them out")

func inQuotes(s string) bool {
	return len(s) > 1 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0]
}

// address is a parsed address with the credentials in it.
type address struct {
	dial.Endpoint
	name  string // flag or variable
	token secret.Token
}

// addresses returns the address of --uri, or else those in the environment. There is at
// least one: the default.
func (a *app) addresses() ([]address, error) {
	if a.global.uri != "" {
		endpoint, err := dial.Parse(a.global.uri)
		return []address{{endpoint, "--uri", ""}}, asked("--uri", err)
	}

	var found []address
	for _, name := range addressVariables {
		if uri := a.Getenv(name); uri != "" {
			endpoint, token, err := dial.ParseWithCredentials(uri)
			if err != nil {
				return nil, asked(name, err)
			}
			found = append(found, address{endpoint, name, token})
		}
	}
	if len(found) > 0 {
		return found, nil
	}

	for _, name := range foreignVariables {
		if a.Getenv(name) != "" {
			return nil, fmt.Errorf("%s is set, but not read: set MILVUS_URI to http://HOST:PORT or https://HOST:PORT", name)
		}
	}
	endpoint, err := dial.Parse(defaultURI)
	return []address{{endpoint, "", ""}}, err
}

// endpointOf returns the endpoint of addresses, or an error if they differ. An address
// without a scheme agrees with the same host and port with one.
func endpointOf(addresses []address) (dial.Endpoint, error) {
	chosen := addresses[0]
	for _, other := range addresses[1:] {
		if chosen.Address == other.Address && !(chosen.Explicit && other.Explicit) {
			if !chosen.Explicit {
				chosen = other
			}
			continue
		}

		if _, err := agreed(setting{name: chosen.name, value: chosen.URI()}, setting{name: other.name, value: other.URI()}); err != nil {
			return dial.Endpoint{}, err
		}
	}
	chosen.Endpoint.Setting = chosen.name
	return chosen.Endpoint, nil
}

// database returns the name of the database, or no value for the server's default. A flag
// overrides the environment, and --db the path of --uri.
func (a *app) database(addresses []address) (setting, error) {
	if a.global.db != "" {
		return setting{name: "--db", value: a.global.db}, nil
	}
	if a.global.uri != "" && addresses[0].Database != "" {
		return setting{name: pathOf("--uri"), value: addresses[0].Database}, nil
	}

	settings, err := a.variables(databaseVariables...)
	if err != nil {
		return setting{}, err
	}

	for _, from := range addresses {
		settings = append(settings, setting{name: from.name, value: from.Database})
	}
	database, err := agreed(settings...)
	if slices.Contains(addressVariables, database.name) {
		database.name = pathOf(database.name)
	}
	return database, err
}

func pathOf(address string) string { return "the path of " + address }

// environmentToken returns the credentials in the environment, or no value without any.
func (a *app) environmentToken(addresses []address) (setting, error) {
	token, err := a.secretVariable("MILVUS_TOKEN")
	if err != nil {
		return setting{}, err
	}
	if inQuotes(token) {
		return setting{}, asked("MILVUS_TOKEN", errQuotes)
	}

	user, err := a.environmentUser()
	if err != nil {
		return setting{}, err
	}

	settings := []setting{{name: "MILVUS_TOKEN", value: token}, user}
	for _, from := range addresses {
		settings = append(settings, setting{name: from.name, value: string(from.token)})
	}
	return agreed(settings...)
}

// environmentUser returns USER:PASSWORD of the variables for both, without a value if
// neither is set.
func (a *app) environmentUser() (setting, error) {
	users, err := a.variables(userVariables...)
	if err != nil {
		return setting{}, err
	}

	user, err := agreed(users...)
	if err != nil {
		return setting{}, err
	}

	password, err := a.secretVariable("MILVUS_PASSWORD")
	if err != nil {
		return setting{}, err
	}

	switch {
	case user.value == "" && password == "":
		return setting{}, nil
	case user.value == "":
		return setting{}, errors.New("MILVUS_PASSWORD is set without MILVUS_USER")
	case password == "":
		return setting{}, fmt.Errorf("%s is set without MILVUS_PASSWORD", user.name)
	case strings.Contains(user.value, ":"):
		return setting{}, fmt.Errorf("%s holds a colon, which ends the name of a user", user.name)
	}
	return setting{user.name + " with MILVUS_PASSWORD", user.value + ":" + password, inQuotes(password)}, nil
}

// secretVariable returns the secret in a variable, or "" if it is not set.
func (a *app) secretVariable(name string) (string, error) {
	value := a.Getenv(name)
	if value == "" {
		return "", nil
	}
	value, err := secret.Clean(value)
	return value, asked(name, err)
}
