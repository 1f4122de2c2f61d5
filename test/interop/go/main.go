// Command interop drives the real Go implementation of Asynq for the tests beside it.
//
//	interop enqueue  -redis URL            enqueues the tasks it reads
//	interop serve    -redis URL -config J  runs a worker; reads "stop" and "shutdown"
//	interop inspect  -redis URL            answers questions and acts through the inspector
//	interop schedule -redis URL -config J  runs a scheduler; reads "shutdown"
//	interop codec                           encodes and decodes stored records with Go's own message types
//	interop cron                            computes the ticks of cron specs
//
// Every subcommand speaks JSON lines: one request a line on stdin, one answer a line on stdout, in order.
// Binary values are base64, instants are milliseconds since the Unix epoch (0 means none), durations are milliseconds.
// The end of stdin ends the process at once, so that nothing outlives the test that started it.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/hibiken/asynq"
)

func main() {
	if len(os.Args) < 2 {
		exit("a subcommand is missing")
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	url := flags.String("redis", "redis://127.0.0.1:6379", "URL of the Redis server")
	config := flags.String("config", "{}", "JSON settings of the subcommand")
	if err := flags.Parse(os.Args[2:]); err != nil {
		exit(err.Error())
	}
	// A URL that ends in a slash is legal, but not for this parser.
	redis, err := asynq.ParseRedisURI(strings.TrimSuffix(*url, "/"))
	if err != nil {
		exit(err.Error())
	}
	switch os.Args[1] {
	case "enqueue":
		enqueue(redis)
	case "serve":
		serve(redis, *config)
	case "inspect":
		inspect(redis)
	case "schedule":
		schedule(redis, *config)
	case "codec":
		codec()
	case "cron":
		ticksOf()
	default:
		exit("unknown subcommand " + os.Args[1])
	}
}

func exit(reason string) {
	fmt.Fprintln(os.Stderr, "interop: "+reason)
	os.Exit(2)
}
