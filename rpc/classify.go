package rpc

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/untrusted"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// class is the meaning of a failure for a wait.
type class uint8

const (
	succeeded       class = iota
	transient             // polling again may cure it
	undecided             // codes and text do not decide: GetLoadState does
	permanent             // a refusal: the server does not serve the call, or this user
	invalidArgument       // an argument of the call is invalid
	lasting               // nothing that polling can cure, and no view of a server
	collectionNotFound
	partitionNotFound
	indexNotFound
	databaseNotFound
	ambiguousIndex
	notLoaded
	loadFailed
	jobNotFound
	unsupported // the server does not have the call
)

// isAboutObject reports whether c means that an object is missing, or not in the expected
// state.
func (c class) isAboutObject() bool { return c >= collectionNotFound && c <= jobNotFound }

var sentinels = map[class]error{
	collectionNotFound: milvuswait.ErrCollectionNotFound,
	partitionNotFound:  milvuswait.ErrPartitionNotFound,
	indexNotFound:      milvuswait.ErrIndexNotFound,
	databaseNotFound:   milvuswait.ErrDatabaseNotFound,
	ambiguousIndex:     milvuswait.ErrAmbiguousIndex,
	notLoaded:          milvuswait.ErrNotLoaded,
	loadFailed:         milvuswait.ErrLoadFailed,
	jobNotFound:        milvuswait.ErrJobNotFound,
	unsupported:        errors.ErrUnsupported,
	invalidArgument:    milvuswait.ErrInvalid,
}

const (
	codeNotReady            = 1 // on milvus-lite: any failure
	codeCrossCluster        = 6 // on milvus-lite: illegal argument
	codeCollectionNotLoaded = 101
	codePartitionNotLoaded  = 201
	codePartition230        = 202  // on 2.3.0: partition not found; since 2.3.1: not fully loaded
	codeNotLoaded230        = 203  // on 2.3.0: partition not loaded; unused since
	codeKeyNotFound         = 1000 // on 2.3: also an import that is not there
	codeAliasNotFound       = 1600 // on 2.3.0: task queue full
	codeSegcore             = 2000 // to 2099: the engine that loads segments
	codeImport              = 2100 // on 2.4 to 2.6: any failure of an import job
	codeImportSystem        = 2101 // on 3.0: failure of an import job on the side of the server
	codeUnexpected          = 65535

	legacyUnexpected = int32(wire.ErrorCode_UnexpectedError)
	legacyMemory     = int32(wire.ErrorCode_InsufficientMemoryToLoad)
)

// classOfCode holds the final codes of Milvus 2.3 to 3.0 (pkg/util/merr/errors.go): they
// end a wait. All others are transient, except 101, 201, 65535, and 202 and 203 of 2.3.0.
// The server's retriable flag is not reliable: it is false for node failovers.
var classOfCode = map[int32]class{
	3: loadFailed, // memory limit exceeded
	7: loadFailed, // disk limit exceeded

	100: collectionNotFound,
	200: partitionNotFound,

	601: loadFailed, // segment not loaded
	602: loadFailed, // segment lacks
	603: loadFailed, // segment reduplicates
	604: loadFailed, // segment load failed
	605: loadFailed, // segment request resource failed

	700: indexNotFound,
	702: ambiguousIndex,

	800: databaseNotFound,
	802: invalidArgument, // invalid database name

	1100: invalidArgument, // parameter invalid
	1101: invalidArgument, // parameter missing
	1102: invalidArgument, // parameter too large

	1400: permanent, // not authenticated
	1401: permanent, // privilege not permitted

	codeAliasNotFound: permanent,
	1603:              permanent, // dangling alias
}

// classOfLegacyCode holds the error_codes that end a wait if there is no code. Milvus 2.2
// sends IndexNotExist and InsufficientMemoryToLoad, and UnexpectedError for everything
// else.
var classOfLegacyCode = map[int32]class{
	int32(wire.ErrorCode_PermissionDenied):       permanent,
	int32(wire.ErrorCode_CollectionNotExists):    collectionNotFound,
	int32(wire.ErrorCode_IllegalArgument):        invalidArgument,
	int32(wire.ErrorCode_IllegalCollectionName):  invalidArgument,
	int32(wire.ErrorCode_OutOfMemory):            loadFailed,
	int32(wire.ErrorCode_IndexNotExist):          indexNotFound,
	int32(wire.ErrorCode_CollectionNameNotFound): collectionNotFound,
	legacyMemory:                             loadFailed,
	int32(wire.ErrorCode_DiskQuotaExhausted): loadFailed,
}

// Classify returns the error of a Poller of this package for a status from Milvus, or nil
// for a success. Use it in a Poller over another transport, for example REST.
//
// The method is the name of the RPC, such as "DescribeIndex". It decides which errors are
// possible: a failure of "DescribeIndex" is never ErrLoadFailed, and only a failure of
// "GetImportState" is ErrJobNotFound. For an unknown method, all other errors are possible.
// The codes are Status.code, 0 before Milvus 2.3, and Status.error_code. The error wraps a
// *milvuswait.ServerError, and a sentinel or milvuswait.Permanent if polling again cannot
// change the answer.
//
// If the codes do not decide, as on Milvus 2.2, Classify uses the text. A Poller of this
// package calls GetLoadState then.
func Classify(method string, code, legacyCode int32, reason string) error {
	method = path.Base(method) // also of a full name
	reported := &milvuswait.ServerError{Code: code, LegacyCode: legacyCode, Reason: untrusted.Text(reason), Method: method}
	c := classify(code, legacyCode, reported.Reason, method)
	if c == succeeded {
		return nil
	}

	f := &failure{class: c, err: reported, reported: reported}
	return f.settledByText().error(context.Background())
}

// classify returns the class of a status in a response of method. It is undecided if
// GetLoadState must be called.
func classify(code, legacyCode int32, reason, method string) class {
	if code == 0 && legacyCode == 0 {
		return succeeded
	}
	return restrictToMethod(classifyFailure(code, legacyCode, strings.ToLower(reason), canBe(loadFailed, method)), method)
}

// classifyFailure classifies by the codes, and by the text if they do not decide. Reason
// is in lower case, and load reports whether it may be about a load that failed.
func classifyFailure(code, legacyCode int32, reason string, load bool) class {
	// 2.3 to 2.6.15 report a failed load by these words, with any code, including codes of
	// transient failures.
	if load && strings.HasPrefix(reason, "show collection failed") {
		return loadFailed
	}
	if code == codePartition230 && strings.Contains(reason, "partition not found") {
		return partitionNotFound
	}
	if code == codeCollectionNotLoaded || code == codePartitionNotLoaded ||
		code == codeNotLoaded230 && strings.Contains(reason, "partition not loaded") {
		if load && hasCause(reason) {
			return loadFailed
		}
		return notLoaded
	}

	if code == codeAliasNotFound && strings.Contains(reason, "task queue full") {
		return transient
	}

	// Codes of 2.3 and newer, of milvus-lite, and of 2.2.
	if c, found := classOfCode[code]; found {
		return c
	}
	if load && (code >= codeSegcore && code < codeSegcore+100 || legacyCode == legacyMemory) {
		return loadFailed
	}
	if isLiteWithoutDatabase(code, legacyCode, reason) {
		return databaseNotFound
	}
	if isUnknownJob(code, reason) {
		return jobNotFound
	}
	if code == codeCrossCluster && legacyCode == code {
		return invalidArgument
	}
	if code != 0 && code != codeUnexpected {
		return transient
	}
	if c, found := classOfLegacyCode[legacyCode]; found {
		return c
	}
	if code == 0 && legacyCode != legacyUnexpected {
		return transient
	}

	// UnexpectedError, or 65535.
	switch c := classOfText(reason); c {
	case collectionNotFound, notLoaded, loadFailed:
		return undecided // GetLoadState is more reliable than the text
	default:
		return c
	}
}

// isLiteWithoutDatabase reports whether codes and reason of milvus-lite mean that the
// database does not exist. The codes alone mean something else on other servers.
func isLiteWithoutDatabase(code, legacyCode int32, reason string) bool {
	lite := code == codeCrossCluster && legacyCode == code || code == codeNotReady && legacyCode == 0
	return lite && strings.HasPrefix(reason, "database '") && strings.HasSuffix(reason, "' does not exist")
}

// isUnknownJob reports whether code and reason, in lower case, mean that the server does
// not know an import job.
func isUnknownJob(code int32, reason string) bool {
	switch code {
	case codeKeyNotFound:
		return strings.Contains(reason, "importtask")
	case codeImport, codeImportSystem:
		return strings.Contains(reason, "not exist") || strings.Contains(reason, "not found")
	}
	return false
}

// settle returns the class of an undecided response of method, by the state from
// GetLoadState. The state is noState if GetLoadState failed.
func settle(code int32, reason, method string, state wire.LoadState) class {
	text := classOfText(strings.ToLower(reason))
	if state == wire.LoadState_LoadStateNotExist {
		// Servers return NotExist for every failed lookup of a name. Servers with codes
		// return code 100 with the next poll if the collection does not exist.
		if code == 0 || text == collectionNotFound {
			return restrictToMethod(collectionNotFound, method)
		}
		return transient
	}

	if state == wire.LoadState_LoadStateNotLoad && canBe(notLoaded, method) {
		if text == loadFailed && canBe(loadFailed, method) {
			return loadFailed
		}
		return notLoaded
	}

	if state != noState || text == undecided {
		return transient
	}
	return restrictToMethod(text, method)
}

// noState stands for a failed GetLoadState: the zero LoadState is NotExist.
const noState wire.LoadState = -1

// classifyCall returns the class of a gRPC error of method. An error that grpc-go made is
// transient, whatever its code.
func classifyCall(code codes.Code, message, method string) class {
	if foreignAnswer(code, message, method) != "" || strings.Contains(message, credentialsFailed) {
		return transient
	}

	switch code {
	case codes.InvalidArgument:
		return invalidArgument
	case codes.NotFound, codes.AlreadyExists, codes.PermissionDenied,
		codes.FailedPrecondition, codes.Unauthenticated:
		return permanent
	case codes.Unimplemented:
		if slices.Contains(optional, method) {
			return unsupported
		}
		return permanent
	case codes.Canceled:
		// A closed client never comes back.
		if strings.Contains(message, "the client connection is closing") {
			return lasting
		}
	case codes.Unknown:
		// A plain Go error of an interceptor in the server: bad credentials on 2.2,
		// "Milvus Proxy is not ready yet" since 2.3.
		if c := classOfText(strings.ToLower(message)); c != undecided {
			return restrictToMethod(c, method)
		}
	}
	return transient
}
