package output_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/output"
)

// BenchmarkScreen measures a frame and an update of a thousand targets. There are seven frames
// a second.
func BenchmarkScreen(b *testing.B) {
	for _, rows := range []int64{100, 1_000_000} {
		var updates []milvuswait.Update
		var targets []milvuswait.Target
		for i := range 1000 {
			u := later(indexing(fmt.Sprintf("collection_%04d", i), "vidx", int64(i)%rows, rows), time.Minute, time.Minute)
			updates, targets = append(updates, u), append(targets, u.Target)
		}
		s := output.NewScreen(output.Config{}, targets)
		for _, u := range updates {
			s.Observe(u)
		}
		b.Run(fmt.Sprintf("frame of %d rows", rows), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Lines(120, 50)
			}
		})
		b.Run(fmt.Sprintf("update of %d rows", rows), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s.Observe(updates[i%len(updates)])
			}
		})
	}
}
