// Worker waits for Milvus on behalf of workflows of Temporal.
//
//	go run ./worker [-queue milvus] [-cluster eu=https://eu.example.com:19530]…
//
// TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY and the other variables of
// Temporal's clients configure the connection to Temporal. MILVUS_URI is the address of
// Milvus for targets without a cluster. MILVUS_TOKEN, an API key or "user:password", is sent
// to all Milvus servers, over TLS or to this machine only.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/worker"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/rpc"
	"github.com/milvuswait/milvuswait/temporal/temporalwait"
)

func main() {
	clusters := make(map[string]string)
	queue := flag.String("queue", "milvus", "the task `queue`")
	flag.Func("cluster", "a cluster as `name=uri`; may be repeated", func(s string) error {
		name, uri, found := strings.Cut(s, "=")
		if !found || name == "" || uri == "" {
			return fmt.Errorf("must be name=uri")
		}
		clusters[name] = uri
		return nil
	})
	flag.Parse()

	if err := work(*queue, clusters); err != nil {
		log.Fatalln("worker:", err)
	}
}

// work runs a worker until a signal arrives.
func work(queue string, clusters map[string]string) error {
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}

	a := &temporalwait.Activities{Pollers: make(map[string]milvuswait.Poller)}
	if uri := os.Getenv("MILVUS_URI"); uri != "" {
		clusters[""] = uri
	}
	if len(clusters) == 0 {
		return fmt.Errorf("no address of Milvus: set MILVUS_URI, or use -cluster")
	}

	for name, uri := range clusters {
		conn, err := connect(uri, os.Getenv("MILVUS_TOKEN"))
		if err != nil {
			return err
		}
		defer conn.Close()

		p := rpc.New(conn)
		if name == "" {
			a.Poller = p
		} else {
			a.Pollers[name] = p
		}
	}

	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return err
	}
	c, err := client.Dial(options)
	if err != nil {
		return err
	}
	defer c.Close()
	a.Client = c

	w := worker.New(c, queue, worker.Options{
		MaxHeartbeatThrottleInterval: 5 * time.Second, // a cancellation arrives with a heartbeat
		WorkerStopTimeout:            5 * time.Second, // time for the waits to record their last heartbeat
	})
	w.RegisterWorkflow(temporalwait.WaitWorkflow)
	w.RegisterActivity(a)
	return w.Run(worker.InterruptCh())
}
