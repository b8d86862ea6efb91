// Package typednil finds the nil that a comparison with nil does not.
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
