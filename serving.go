package milvuswait

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/milvuswait/milvuswait/internal/unwrap"
)

// servingKind is the row of servers in the table of kinds.
var servingKind = &waitKind{
	kind: KindServing, one: "a server", many: "servers",
	initial:  100 * time.Millisecond,
	describe: func(Target) string { return "server" },
	validate: func(Target) error { return nil },
	checkPoller: func(p Poller, _ Target) error {
		return requires[ServerChecker](p, "ServerChecker", "Server", func(f PollerFuncs) bool { return f.Server != nil })
	},

	poll: func(ctx context.Context, p Poller, _ *waitState) answer {
		checker, _ := unwrap.Find[ServerChecker](p)
		return answerOf(ServingProgress{}, checker.CheckServer(ctx))
	},
	list: listNone,

	note:       noteProgress,
	isComplete: isProgressComplete,
	share:      func(*waitState) float64 { return 1 },

	jsonKey: "serving", unmarshal: unmarshal[ServingProgress],
}

// Serving returns the target for the server itself: it is complete when the server answers
// a request of a user. Wait for it by [Wait].
func Serving() Target { return Target{kind: KindServing} }

// ServingProgress is the progress of a server that answers. There is none before.
type ServingProgress struct{}

// Complete returns true.
func (ServingProgress) Complete() bool { return true }

// Fraction returns 1.
func (ServingProgress) Fraction() float64 { return 1 }

// String returns "serving".
func (ServingProgress) String() string { return "serving" }

func (ServingProgress) dict() any { return servingDict{true} }

// MarshalJSON returns {"serving":true}.
func (p ServingProgress) MarshalJSON() ([]byte, error) { return json.Marshal(p.dict()) }

// UnmarshalJSON accepts the JSON of MarshalJSON. A JSON null leaves p unchanged, as
// encoding/json does for other types.
func (*ServingProgress) UnmarshalJSON(b []byte) error {
	d := servingDict{Serving: true}
	if err := json.Unmarshal(b, &d); err != nil {
		return err
	}
	if !d.Serving {
		return errors.New("milvuswait: a ServingProgress is never false")
	}
	return nil
}

type servingDict struct {
	Serving bool `json:"serving"`
}
