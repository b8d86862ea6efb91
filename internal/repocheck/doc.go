// Package repocheck has tests only. They check the repository, not a package: that
// pages, links and examples hold, that promises name their tests, that api/api.txt
// records the exported API, and that dependencies obey their rules.
package repocheck
