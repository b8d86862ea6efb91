// Package typednil finds nil values inside interfaces, which a comparison with nil misses.
package typednil

import "reflect"

// Is reports whether v is nil or an interface around a nil pointer or function.
func Is(v any) bool {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Func:
		return r.IsNil()
	}

	return false
}
