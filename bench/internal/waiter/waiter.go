// Package waiter is the protocol between the benchmark and the waiting processes. A process
// connects, prints that it is ready, waits for a line on standard input, runs its wait, and
// prints the result.
package waiter

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
	"time"
)

// Job describes the wait of a process. It is the last argument of the process, in JSON.
type Job struct {
	Address     string            `json:"address"`
	Collections []string          `json:"collections"`
	Index       string            `json:"index"`  // name of the index; "" waits for loads
	Field       string            `json:"field"`  // field of the index
	Params      map[string]string `json:"params"` // parameters of the index
	Rows        int64             `json:"rows"`
	Limit       time.Duration     `json:"limit"` // ns
}

// Result is the output of a process after its wait. Times are Unix ns.
type Result struct {
	Began    int64  `json:"began"`
	Returned int64  `json:"returned"`
	CPU      int64  `json:"cpu"` // user and system time of the process during the wait, ns
	Err      string `json:"err"` // "" for a success
}

// Run is the main function of a waiting process. connect connects to the server and returns
// the wait for a job. It must not make other calls to the server before the wait begins.
func Run(version string, connect func(ctx context.Context, job Job) (wait func(ctx context.Context) error, err error)) error {
	var job Job
	if err := json.Unmarshal([]byte(os.Args[len(os.Args)-1]), &job); err != nil {
		return err
	}

	ctx := context.Background()
	wait, err := connect(ctx, job)
	if err != nil {
		return err
	}

	fmt.Println("ready", version)
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}

	ctx, cancel := context.WithTimeout(ctx, job.Limit)
	defer cancel()

	used := cpu()
	began := time.Now()
	err = wait(ctx)
	r := Result{Began: began.UnixNano(), Returned: time.Now().UnixNano(), CPU: int64(cpu() - used)}
	if err != nil {
		r.Err = err.Error()
	}

	return json.NewEncoder(os.Stdout).Encode(r)
}

// cpu returns the CPU time of this process.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Version returns the version of a module in this program.
func Version(module string) string {
	info, _ := debug.ReadBuildInfo()
	for _, m := range info.Deps {
		if m.Path == module {
			return m.Version
		}
	}
	return "unknown"
}
