// Package nearest finds the names that somebody may have meant.
package nearest

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Names returns at most so many of names that are like name, the likest first:
// those that are a few letters off, and those that begin or end with it. Case does
// not count.
func Names(name string, names []string, most int) []string {
	type candidate struct {
		name     string
		distance int
	}
	meant := []rune(strings.ToLower(name))
	limit := max(min(2, len(meant)/2), len(meant)/3) // two: letters that changed places
	var candidates []candidate
	for _, n := range names {
		// Far shorter or longer ones are no mistakes of typing, and costly to compare.
		if length := utf8.RuneCountInString(n); length > 4*len(meant)+16 || length < len(meant)-limit {
			continue
		}
		lower := strings.ToLower(n)
		d := distance(meant, []rune(lower))
		part := len(meant) >= 3 && (strings.HasPrefix(lower, string(meant)) || strings.HasSuffix(lower, string(meant)))
		if d <= limit || part {
			candidates = append(candidates, candidate{n, d})
		}
	}
	slices.SortFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.name, b.name))
	})
	found := make([]string, 0, most)
	for _, c := range candidates[:min(most, len(candidates))] {
		found = append(found, c.name)
	}
	return found
}

// distance returns Levenshtein's: how many letters have to be added, taken away or
// changed.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
