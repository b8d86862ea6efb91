package milvuswaittest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/milvuswaittest"
)

// printing is a recorder with an Output.
type printing struct {
	*recorder
	bytes.Buffer
}

func (p *printing) Output() io.Writer { return &p.Buffer }

func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(fake.Poller).Set(docs, fake.LoadOver(100*time.Second).FailAt(50, milvuswait.ErrNotLoaded))
		wait := func(tb milvuswaittest.TB) {
			_, err := milvuswait.WaitForLoadingComplete(context.Background(), p, "docs", every(25*time.Second),
				milvuswait.WithObserver(milvuswaittest.Log(tb)))
			require.ErrorIs(t, err, milvuswait.ErrReleased)
		}
		plain, within, output := &recorder{}, &recorder{}, &printing{recorder: &recorder{}}

		wait(plain)
		p.Set(docs, fake.Percents(40))
		p.Set(docs, fake.LoadOver(100*time.Second).FailAt(50, milvuswait.ErrNotLoaded))
		wait(milvuswaittest.Within(within, time.Hour))
		p.Set(docs, fake.LoadOver(100*time.Second).FailAt(50, milvuswait.ErrNotLoaded))
		wait(milvuswaittest.Within(output, time.Hour))

		want := []string{
			`loading "docs": 0% after 0s`,
			`loading "docs": 25% after 25s, about 1m15s left`,
			`loading "docs": poll 3 failed after 50s: not loaded`,
			`loading "docs": failed after 50.1s: milvuswait: loading "docs": released during the wait: not loaded (4 polls in 50.1s, last 25%)`,
		}
		require.Equal(t, want, plain.logs)
		require.Equal(t, want, within.logs)
		require.Equal(t, strings.Join(want, "\n")+"\n", output.String())
		require.Empty(t, output.logs)
	})
}

func TestLog_EachPercent_WritesEveryTenth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(fake.Poller).Set(docs, fake.LoadOver(100*time.Second))
		tb := &recorder{}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", every(time.Second), milvuswait.WithObserver(milvuswaittest.Log(tb)))

		require.NoError(t, err)
		require.Len(t, tb.logs, 11)
		require.Equal(t, `loading "docs": 0% after 0s`, tb.logs[0])
		require.Equal(t, `loading "docs": 10% after 10s, about 1m30s left`, tb.logs[1])
		require.Equal(t, `loading "docs": complete after 1m40s: 100%`, tb.logs[10])
	})
}

func TestLog_ManyPartitions_KeepsTheReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var partitions []string
		for n := range 100 {
			partitions = append(partitions, fmt.Sprintf("%060d", n))
		}
		p := new(fake.Poller).Set(milvuswait.Loading("docs", partitions...), fake.LoadOver(100*time.Second).FailAt(50, milvuswait.ErrLoadFailed))
		tb := &recorder{}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithPartitions(partitions...),
			every(25*time.Second), milvuswait.WithObserver(milvuswaittest.Log(tb)))

		require.ErrorIs(t, err, milvuswait.ErrLoadFailed)
		require.Regexp(t, `load failed \(3 polls in 50s, last 25%\)$`, tb.logs[len(tb.logs)-1])
	})
}
