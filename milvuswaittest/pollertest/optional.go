package pollertest

import (
	"errors"
	"reflect"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/unwrap"
)

// find returns the Poller as an I, or the first I along its Unwrap methods. isSet reports
// whether PollerFuncs have the function for it: without the function they are no I.
func find[I any](c *checker, isSet func(milvuswait.PollerFuncs) bool) (I, bool) {
	found, ok := unwrap.Find[I](c.poller)
	if f, isFuncs := any(found).(milvuswait.PollerFuncs); isFuncs {
		ok = isSet(f)
	}
	return found, ok
}

// answers reports whether the server answers q at all. If it does not, the reason is among
// the checks that were not possible.
func (c *checker) answers(q question) bool {
	a, ok := c.ask(q)
	return !ok || !c.unsupported(q, a)
}

// unsupported reports whether a, the answer to q, wraps errors.ErrUnsupported.
func (c *checker) unsupported(q question, a answer) bool {
	if !errors.Is(a.err, errors.ErrUnsupported) {
		return false
	}
	c.skip(q.String() + ": unsupported")
	return true
}

// checkUnwrap records a defect if the Poller has another Poller in a field, and hides an
// optional interface of it.
func (c *checker) checkUnwrap() {
	if _, ok := c.poller.(interface{ Unwrap() milvuswait.Poller }); ok {
		return
	}
	v := reflect.Indirect(reflect.ValueOf(c.poller))
	if v.Kind() != reflect.Struct {
		return
	}

	for i := range v.NumField() {
		wrapped := v.Field(i).Type()
		if wrapped.Kind() == reflect.Interface && !v.Field(i).IsNil() {
			wrapped = v.Field(i).Elem().Type()
		}
		if !wrapped.Implements(reflect.TypeFor[milvuswait.Poller]()) {
			continue
		}
		for _, name := range milvuswait.Kinds() {
			for _, o := range kinds[name].interfaces {
				if wrapped.Implements(o) && !reflect.TypeOf(c.poller).Implements(o) {
					c.defect("%T wraps a %v and hides its milvuswait.%s: add a method Unwrap() milvuswait.Poller", c.poller, wrapped, o.Name())
				}
			}
		}
	}
}
