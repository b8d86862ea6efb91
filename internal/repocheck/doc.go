// Package repocheck has tests only. They check the repository instead of a package: pages,
// links and examples, the tests named by promises, the exported API in api/api.txt, and the
// rules for dependencies.
package repocheck
