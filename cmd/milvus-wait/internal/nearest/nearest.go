// Package nearest finds names similar to a mistyped one.
package nearest

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Names returns up to most of the names similar to name, the most similar first: names that
// differ in a few letters, and names with name as prefix or suffix. It ignores case.
func Names(name string, names []string, most int) []string {
	type candidate struct {
		name     string
		distance int
	}
	meant := []rune(strings.ToLower(name))
	limit := max(min(2, len(meant)/2), len(meant)/3) // 2 is the distance of two swapped letters

	var candidates []candidate
	for _, n := range names {
		// Much shorter or longer names are no typing errors, and slow to compare.
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

// distance returns the Levenshtein distance: the minimum number of letters to add, remove or
// change.
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
