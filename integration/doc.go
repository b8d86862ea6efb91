// Package integration tests milvuswait against real Milvus servers.
//
// Plain "go test" skips all of it: the tests take minutes and need Python 3. The
// environment decides:
//
//   - MILVUSWAIT_INTEGRATION=1 installs and starts milvus 2.3.5, milvus 2.2.16 and
//     milvus-lite 3.2.2 (see package realserver), and skips what this machine
//     cannot have. MILVUSWAIT_INTEGRATION=require fails instead. Give it time, by
//     go test -timeout 30m: 6 minutes on two idle cores.
//   - MILVUSWAIT_INTEGRATION_SERVERS, such as 2.2.9,2.3.0,2.3.3,lite-3.1.1, names other
//     releases to install and start. Expectations for those four are in the tests of
//     answers and refusals: TestAnswers, TestRefused, TestGoneDuringAWait, TestPoller,
//     TestCommandEnds and TestCommandRefuses.
//   - MILVUS_URI, such as http://127.0.0.1:19530 or https://milvus.example:19530, has
//     the tests run against that Milvus and start none. MILVUS_TOKEN is user:password
//     or an API key. The tests create collections, whose names begin with milvuswait_,
//     and drop them. Those that have to kill their server, or that know the answers of a
//     version, are skipped, and so are the importers if there is TLS or a token.
//   - MILVUSWAIT_INTEGRATION_SUMMARY names a file for a table, in Markdown, of what
//     was tested against which server.
//
// The command milvus-wait is built from the tree and run as a process.
//
// The nested modules are importers, each with another client. TestImporters runs their
// tests against milvus 2.3.5, or the server of MILVUS_URI.
//
// How late a wait may be is checked against a watcher that asks the server every
// 5 ms by a connection of its own.
package integration
