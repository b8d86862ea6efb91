package cli

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/dial"
	"github.com/milvuswait/milvuswait/rpc"
)

// privilegeFor has the privileges for the calls of a wait that its kind does not need.
var privilegeFor = map[string]string{"Query": "Query"}

// refusal returns a hint for an error by which the server refused the user or the
// request, and "" for other errors. The hint names the privilege in the error, or else
// the one of the refused call, or the given one. It has the hint about the given token too.
func refusal(err error, privilege, token string) string {
	failure := new(milvuswait.ServerError)
	errors.As(err, &failure)
	call, text := codeOf(err), strings.ToLower(err.Error())
	switch {
	case errors.Is(err, rpc.ErrMalformed):
		return dial.AdviceOther
	case failure.Code == dial.CodeNotPermitted, call == codes.PermissionDenied, strings.Contains(text, "permission deny"):
		if needed := cmp.Or(denied(err), privilegeFor[methodOf(err)], privilege); needed != "" {
			return "grant its user the privilege " + needed + ", or " + token
		}
		return token
	case failure.Code == dial.CodeNotAuthenticated, call == codes.Unauthenticated, strings.Contains(text, "auth check failure"):
		return token
	case call == codes.Unimplemented:
		return "the server does not know this call: is it Milvus 2.2 or newer?"
	}
	return ""
}

const adviceToken = "check the token (--token-file, --user with --password-file, or MILVUS_TOKEN)"

// adviceToken returns the hint about refused credentials.
func (s sources) adviceToken() string {
	switch {
	case s.token.name == "":
		return adviceToken
	case s.token.quoted:
		return "check the token (" + s.token.name + "): it has quotation marks around it, and they are sent too"
	}
	return "check the token (" + s.token.name + ")"
}

// adviceDatabase returns the hint about a missing database.
func (s sources) adviceDatabase() string {
	if s.database == "" {
		return "check --db, the path of the address, and MILVUS_DB"
	}
	return "check " + s.database + ", which sets it"
}

// databaseSettings returns the flag or variable with the database, or all that may set it.
func (s sources) databaseSettings() string { return cmp.Or(s.database, "--db and MILVUS_DB") }

// isRefusal reports whether the server refused the user or the request. An answer that is not
// Milvus' is transient.
func isRefusal(err error) bool {
	return refusal(err, "", adviceToken) != "" && !errors.Is(err, rpc.ErrMalformed)
}

// privileges lists the privileges for the calls of a wait in Milvus 2.2 to 3.0.
var privileges = []string{
	"GetLoadingProgress", "GetLoadState", "Load", "IndexDetail", "GetIndexBuildProgress", "ShowCollections", "ShowPartitions",
	"DescribeCollection", "GetStatistics", "GetFlushState", "GetImportState", "Compaction", "Query", "All",
}

// denied returns the missing privilege in the server's text, or "" if it names none of
// privileges. Versions differ: for GetLoadingProgress it is GetLoadingProgress, Load or
// GetLoadState.
func denied(err error) string {
	text, _, _ := strings.Cut(err.Error(), ": permission deny")
	name := text[strings.LastIndexByte(text, ' ')+1:]
	if privilege, found := strings.CutPrefix(name, "Privilege"); found && slices.Contains(privileges, privilege) {
		return privilege
	}
	return ""
}

// codeOf returns the gRPC code in err, or OK if there is none.
func codeOf(err error) codes.Code {
	var call interface{ GRPCStatus() *status.Status }
	if errors.As(err, &call) {
		return call.GRPCStatus().Code()
	}
	return codes.OK
}
