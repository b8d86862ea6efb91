package fake

import (
	"fmt"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake/internal/play"
)

// collection holds the roles of one collection. A nil role stands for a target that is
// known but absent. A nil collection does not exist.
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
