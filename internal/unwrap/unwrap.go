// Package unwrap finds optional interfaces of wrapped values.
package unwrap

import "github.com/milvuswait/milvuswait/internal/typednil"

// Find returns p as a T, or the first T along its Unwrap methods. P is their result type.
func Find[T, P any](p P) (T, bool) {
	for {
		if found, ok := any(p).(T); ok {
			return found, true
		}

		wrapper, ok := any(p).(interface{ Unwrap() P })
		if !ok {
			break
		}
		if p = wrapper.Unwrap(); typednil.Is(p) {
			break
		}
	}

	var none T
	return none, false
}
