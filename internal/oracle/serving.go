package oracle

import (
	"time"

	"github.com/milvuswait/milvuswait"
)

// serving states the rules of waits for a server.
type serving struct{ plain }

var served = Rule{"serving: complete when the server answers", "serving.go", "internal/oracle/serving.go"}

func (serving) rule(*Options) Rule { return served }

func (serving) complete(*Options, []milvuswait.Progress) bool { return true }
func (serving) whole(milvuswait.Progress) bool                { return true }

func (serving) share(*Options, []milvuswait.Progress) float64 { return 1 }

func (serving) initial() time.Duration { return 100 * time.Millisecond }
