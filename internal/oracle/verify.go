package oracle

import "github.com/milvuswait/milvuswait"

// Verify is the rule of WithVerify.
var Verify = Rule{"verify: a complete target ends when verify returns nil, and not before", "verify.go", "internal/oracle/verify.go"}

// judgeVerify judges a complete target that has settled, after its call of verify. A poll that
// ends at the deadline is not verified: the deadline decides.
func (w *wait) judgeVerify(f *Facts) {
	f.Rule, f.Verifies = Verify, w.o.Deadline == 0 || f.at < w.o.Deadline
	v := f.answer.Verified
	if !f.Verifies || v == nil {
		return
	}

	f.at = v.End
	switch {
	case v.Err == nil:
		f.end(Verify, nil)
		return
	case w.o.Deadline > 0 && v.End >= w.o.Deadline:
		return
	case !v.Transient:
		f.end(Verify, v.Err)
		return
	}

	// Tolerated. The target stays complete, but time without change counts from now on.
	if v.End-v.Begin >= w.patience {
		w.patience = min(2*w.patience, w.o.maxPollTimeout())
	}
	if !w.unverified {
		w.changed = w.watched(v.End)
	}
	w.unverified = true
	f.Unchanged = w.watched(v.End) - w.changed
	if w.o.Stall > 0 && f.Unchanged >= w.o.Stall {
		f.end(Stall, milvuswait.ErrStalled)
	}
}
