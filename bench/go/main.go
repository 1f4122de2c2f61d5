// Command bench measures the Go implementation of Asynq, for the comparison that `npm run bench` prints.
// Every answer is one line of JSON on stdout; the process ends with status 2 and one line on stderr when it cannot go on.
//
// Store n tasks of type "bench" with so many bytes of payload, from so many goroutines that share one client:
//
//	bench enqueue -redis URL -queue Q -n 20000 -callers 50 -payload 120
//	{"tasks":20000,"seconds":1.23,"perSecond":16260}
//
// Handle n tasks that are already in the queue with a handler that does nothing. The time runs from the start of the
// server to the end of the last handler:
//
//	bench process -redis URL -queue Q -n 20000 -concurrency 100
//	{"tasks":20000,"seconds":1.9,"perSecond":10526}
//
// With -work 5ms each handler takes that long.
//
// Produce for an idle worker of whatever language: one task at a time, gap apart. The payload of each is
// {"sentAtMicros":1700000000123456}, the wall clock in microseconds since the Unix epoch just before the enqueue:
//
//	bench pickup -redis URL -queue Q -n 100 -gap 50ms
//	{"tasks":100}
//
// Be that idle worker in Go: say when it is ready, handle n tasks of pickup, and tell how many milliseconds each one
// waited for its handler, in the order of their arrival:
//
//	bench idle -redis URL -queue Q -n 100 -concurrency 10
//	{"event":"ready"}
//	{"tasks":100,"millis":[0.9,1.1]}
//
// Start servers for queues that are named by number (Q alone when there is one) and let them run until standard input ends:
//
//	bench serve -redis URL -queue Q -queues 200 -servers 1 -concurrency 10
//	{"event":"ready"}
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hibiken/asynq"
)

type settings struct {
	redis       asynq.RedisConnOpt
	queue       string
	n           int
	callers     int
	payload     int
	concurrency int
	queues      int
	servers     int
	gap         time.Duration
	work        time.Duration
}

func main() {
	if len(os.Args) < 2 {
		fail("a subcommand is missing: enqueue, process, pickup, idle or serve")
	}
	var s settings
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	url := flags.String("redis", "redis://127.0.0.1:6379", "URL of the Redis server")
	flags.StringVar(&s.queue, "queue", "bench", "name of the queue")
	flags.IntVar(&s.n, "n", 1000, "number of tasks")
	flags.IntVar(&s.callers, "callers", 1, "goroutines that enqueue")
	flags.IntVar(&s.payload, "payload", 120, "bytes of payload of a task")
	flags.IntVar(&s.concurrency, "concurrency", 10, "tasks that run at once")
	flags.IntVar(&s.queues, "queues", 1, "number of queues")
	flags.IntVar(&s.servers, "servers", 1, "number of servers")
	flags.DurationVar(&s.work, "work", 0, "how long a handler of process takes")
	flags.DurationVar(&s.gap, "gap", 50*time.Millisecond, "time between two tasks")
	if err := flags.Parse(os.Args[2:]); err != nil {
		fail(err.Error())
	}
	var err error
	// A URL that ends in a slash is legal, but not for this parser.
	if s.redis, err = asynq.ParseRedisURI(strings.TrimSuffix(*url, "/")); err != nil {
		fail(err.Error())
	}
	switch os.Args[1] {
	case "enqueue":
		enqueue(s)
	case "process":
		process(s)
	case "pickup":
		pickup(s)
	case "idle":
		idle(s)
	case "serve":
		serve(s)
	default:
		fail("unknown subcommand " + os.Args[1])
	}
}

// rate is the answer of enqueue and process.
type rate struct {
	Tasks     int     `json:"tasks"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"perSecond"`
}

func printRate(tasks int, took time.Duration) {
	print(rate{Tasks: tasks, Seconds: took.Seconds(), PerSecond: float64(tasks) / took.Seconds()})
}

func print(line any) {
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		fail(err.Error())
	}
}

func fail(reason string) {
	fmt.Fprintln(os.Stderr, "bench: "+reason)
	os.Exit(2)
}
