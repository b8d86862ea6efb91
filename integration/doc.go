// Package integration tests milvuswait against real Milvus servers.
//
// A plain "go test" skips all tests, because they take minutes and need Python 3. These
// environment variables control them:
//
//   - MILVUSWAIT_INTEGRATION=1 installs and starts milvus 2.3.5, milvus 2.2.16 and
//     milvus-lite 3.2.2 (see package realserver), and skips servers for which this machine
//     has no package. MILVUSWAIT_INTEGRATION=require fails instead. Run it with
//     go test -timeout 30m: it takes 10 minutes on two idle cores.
//   - MILVUSWAIT_INTEGRATION_SLOW=1 adds cases of several minutes: 20 rounds of raw flushes
//     instead of 3, and a flush mark from before a crash of the server.
//   - MILVUSWAIT_INTEGRATION_SERVERS, such as 2.2.9,2.3.0,2.3.3,lite-3.1.1, names other
//     releases to install and start. Expectations for those four are in TestAnswers,
//     TestRefused, TestGoneDuringAWait, TestPoller, TestCommandEnds, TestCommandRefuses,
//     TestRawFlush, TestFlush and TestCompaction.
//   - MILVUS_URI, such as http://127.0.0.1:19530 or https://milvus.example:19530, runs the
//     tests against that Milvus and starts none. MILVUS_TOKEN is user:password or an API
//     key. The tests create collections with names of the prefix milvuswait_, and drop
//     them. Tests of a version's answers, and tests that kill their server or write to its
//     storage, are skipped, and so are the importers if there is TLS or a token.
//   - MILVUSWAIT_INTEGRATION_SUMMARY names a file for a table, in Markdown, of the cases
//     and servers.
//
// The command milvus-wait is built from the tree and run as a process.
//
// The nested modules are importers, each with another client. TestImporters runs their
// tests against milvus 2.3.5, or the server of MILVUS_URI.
//
// A watcher calls the server every 5 ms, over a separate connection, to find the time at which
// the work is finished. Every wait must return at this time: not earlier, and not much later.
package integration
