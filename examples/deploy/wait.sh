#!/bin/sh
# Waits until Milvus answers, then until collections are loaded and all their
# indexes are built, and prints the next step of the deployment:
#
#	MILVUS_URI=http://127.0.0.1:19530 sh wait.sh docs images
#
# The arguments are those of `milvus-wait all`, and the exit code is its own. For
# Milvus 2.6 and newer, add the number of rows: --rows docs=100000.
# MILVUS_TOKEN_FILE is a file with an API key or USER:PASSWORD, if one is needed.
# READY_TIMEOUT is the maximum time until the server answers.

say() { echo "wait.sh: $*" >&2; }

if [ -z "${MILVUS_URI:-}" ]; then
	say "set MILVUS_URI to the address of Milvus, such as http://127.0.0.1:19530"
	exit 2
fi

# In the background, since a shell heeds no signal while it waits for a command in
# the foreground: a wait would outlive the deployment that was cancelled.
run() {
	milvus-wait ${MILVUS_TOKEN_FILE:+--token-file "$MILVUS_TOKEN_FILE"} "$@" &
	wait $!
}
# What runs in the background of a shell ignores SIGINT: ctrl-C is for the script,
# which hands it on as SIGTERM.
trap 'kill -TERM $! 2>/dev/null; wait; exit 143' TERM
trap 'kill -TERM $! 2>/dev/null; wait; exit 130' INT

# What ready says goes to stderr, so that stdout is the result, by -o json too.
run ready --timeout "${READY_TIMEOUT:-3m}" >&2 &&
	run all --timeout 30m "$@"
code=$?

case $code in # a place for your own commands
0) say "done: let the traffic in" ;;                                      # kubectl rollout resume deployment/search
1) say "failed, and waiting would not help: roll back" ;;                 # helm rollback search
2) say "the command line makes no sense: mend it" ;;                      # nothing was asked of the server
124) say "not in time, though nothing failed: keep the old, try again" ;; # the server goes on meanwhile
127) say "go install github.com/milvuswait/milvuswait/cmd/milvus-wait@latest" ;;
*) say "milvus-wait ended with $code" ;;
esac
exit "$code"
