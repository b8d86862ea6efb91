#!/bin/sh
# Waits until Milvus answers, then until collections are loaded and all their
# indexes are built, and prints the next step of the deployment:
#
#	MILVUS_URI=http://127.0.0.1:19530 sh wait.sh docs images
#
# It takes the arguments of `milvus-wait all` and returns its exit code. For Milvus
# 2.6 and newer, add the number of rows: --rows docs=100000. MILVUS_TOKEN_FILE is
# a file with an API key or USER:PASSWORD, if the server requires one.
# READY_TIMEOUT is the maximum time until the server answers.

log() { echo "wait.sh: $*" >&2; }

if [ -z "${MILVUS_URI:-}" ]; then
	log "set MILVUS_URI to the address of Milvus, such as http://127.0.0.1:19530"
	exit 2
fi

# The command runs in the background: a shell handles no signal while a command
# runs in the foreground, and the wait would outlive a cancelled deployment.
run() {
	milvus-wait ${MILVUS_TOKEN_FILE:+--token-file "$MILVUS_TOKEN_FILE"} "$@" &
	wait $!
}
# A background command of a shell ignores SIGINT, so the script forwards ctrl-C as
# SIGTERM.
trap 'kill -TERM $! 2>/dev/null; wait; exit 143' TERM
trap 'kill -TERM $! 2>/dev/null; wait; exit 130' INT

# The output of ready goes to stderr: stdout holds only the result, also with -o json.
run ready --timeout "${READY_TIMEOUT:-3m}" >&2 &&
	run all --timeout 30m "$@"
code=$?

case $code in # a place for your own commands
0) log "done: let the traffic in" ;;                                       # kubectl rollout resume deployment/search
1) log "failed permanently: roll back" ;;                                  # helm rollback search
2) log "usage error, or a crash: read the lines above" ;;                  # the Go runtime exits with 2 when it crashes
124) log "timed out without a failure: keep the old version, try again" ;; # the server continues
127) log "go install github.com/milvuswait/milvuswait/cmd/milvus-wait@latest" ;;
*) log "milvus-wait ended with $code" ;;
esac
exit "$code"
