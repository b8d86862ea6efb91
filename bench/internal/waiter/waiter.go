// Package waiter is how the benchmark talks with the processes that wait: each
// connects, says so, waits when it is told to, and tells how that went.
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

// Job is what a process is to wait for, its last argument.
type Job struct {
	Address     string            `json:"address"`
	Collections []string          `json:"collections"`
	Index       string            `json:"index"`  // its name; "" waits for loads
	Field       string            `json:"field"`  // that has the index
	Params      map[string]string `json:"params"` // of the index
	Rows        int64             `json:"rows"`
	Limit       time.Duration     `json:"limit"` // ns
}

// Result is what a process prints when it has waited. Times are Unix ns.
type Result struct {
	Began    int64  `json:"began"`
	Returned int64  `json:"returned"`
	CPU      int64  `json:"cpu"` // user and system time of the process in between, ns
	Err      string `json:"err"` // "" if the wait ended well
}

// Run is the life of a process that waits. connect returns the wait for a job,
// which may not use the server before it is called, except to connect.
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

// cpu returns the time that this process has computed.
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
