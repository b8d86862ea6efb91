package fake

import (
	"fmt"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake/internal/play"
)

// collection holds the roles of one collection, or those of the server. A nil role stands
// for a target that is known but absent. A nil collection does not exist.
type collection map[milvuswait.Target]*role

// role is a target with its script.
type role struct {
	target milvuswait.Target
	play   *play.Play[Step]
}

// turn is one call of the script of a target, for one poll.
type turn struct {
	target milvuswait.Target
	play.Turn[Step]
}

// newRole returns the role of a target, or nil for a nil script.
func newRole(target milvuswait.Target, script Script) *role {
	if script == nil {
		return nil
	}
	return &role{target: target, play: play.New[Step](script)}
}

// collectionNotFound returns the error of a poll of a target in a collection that does not
// exist.
func collectionNotFound(target milvuswait.Target) error {
	return fmt.Errorf("%w: %q", milvuswait.ErrCollectionNotFound, target.Collection())
}

// findOneOrNone is the finder of a target that needs no script. It returns no role if there
// is none.
func findOneOrNone(c collection, target milvuswait.Target) ([]*role, error) {
	if r := c[target]; r != nil {
		return []*role{r}, nil
	}
	return nil, nil
}

// answerOr returns a join for targets with at most one role: it returns the answer of the
// script, or the given progress without one.
func answerOr[P milvuswait.Progress](otherwise P) func(turns []turn, answers []P) P {
	return func(_ []turn, answers []P) P {
		if len(answers) == 0 {
			return otherwise
		}
		return answers[0]
	}
}
