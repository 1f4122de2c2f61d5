package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hibiken/asynq"
)

type serveConfig struct {
	Queues      map[string]int `json:"queues"`
	Concurrency int            `json:"concurrency"`
	// RetryDelay of every failure.
	RetryDelay int64 `json:"retryDelay"`
	// GroupSize and GroupGrace turn aggregation on when either is set.
	GroupSize       int   `json:"groupSize"`
	GroupGrace      int64 `json:"groupGrace"`
	ShutdownTimeout int64 `json:"shutdownTimeout"`
}

// workerLine is what a worker does, as it happens.
type workerLine struct {
	// Event is "ready", "start", "end", "aggregate", "log" or "closed".
	Event    string            `json:"event"`
	ID       string            `json:"id,omitempty"`
	Type     string            `json:"type,omitempty"`
	Queue    string            `json:"queue,omitempty"`
	Payload  []byte            `json:"payload,omitempty"`
	Headers  map[string]string `json:"headers,omitempty"`
	Retried  int               `json:"retried"`
	MaxRetry int               `json:"maxRetry"`
	Deadline int64             `json:"deadline,omitempty"`
	At       int64             `json:"at,omitempty"`
	Error    string            `json:"error,omitempty"`
	Group    string            `json:"group,omitempty"`
	Members  []string          `json:"members,omitempty"`
	Text     string            `json:"text,omitempty"`
}

// serve runs a worker until it is told to shut down. What a task does is the first part of its type:
//
//	ok             succeeds
//	result         stores its payload as its result and succeeds
//	fail           fails with its payload as the error's text
//	fail-first:N   fails while it has been retried fewer than N times
//	skip, revoke   fails with SkipRetry or RevokeTask
//	panic          panics
//	until-canceled waits for its context to end and returns the context's error
//	stuck-once     does so in its first run and succeeds in later ones
//	sleep:MS       waits that long and succeeds
func serve(redis asynq.RedisConnOpt, text string) {
	config := parse[serveConfig](text)
	settings := asynq.Config{
		Queues:                   config.Queues,
		Concurrency:              config.Concurrency,
		TaskCheckInterval:        50 * time.Millisecond,
		DelayedTaskCheckInterval: 100 * time.Millisecond,
		JanitorInterval:          200 * time.Millisecond,
		ShutdownTimeout:          duration(config.ShutdownTimeout),
		RetryDelayFunc:           func(int, error, *asynq.Task) time.Duration { return duration(config.RetryDelay) },
		Logger:                   lineLogger{},
		LogLevel:                 asynq.WarnLevel,
	}
	if config.GroupSize > 0 || config.GroupGrace > 0 {
		settings.GroupMaxSize = config.GroupSize
		settings.GroupGracePeriod = duration(config.GroupGrace)
		settings.GroupAggregator = asynq.GroupAggregatorFunc(aggregate)
	}
	server := asynq.NewServer(redis, settings)
	if err := server.Start(asynq.HandlerFunc(run)); err != nil {
		exit(err.Error())
	}
	emit(workerLine{Event: "ready"})
	eachLine(func(command string) {
		switch command {
		case "stop":
			server.Stop()
			emit(workerLine{Event: "stopped"})
		case "shutdown":
			server.Shutdown()
			emit(workerLine{Event: "closed"})
			os.Exit(0)
		default:
			exit("unknown command " + command)
		}
	})
}

func run(ctx context.Context, task *asynq.Task) error {
	id, _ := asynq.GetTaskID(ctx)
	queue, _ := asynq.GetQueueName(ctx)
	retried, _ := asynq.GetRetryCount(ctx)
	maxRetry, _ := asynq.GetMaxRetry(ctx)
	deadline, _ := ctx.Deadline()
	line := workerLine{
		Event: "start", ID: id, Type: task.Type(), Queue: queue, Payload: task.Payload(), Headers: task.Headers(),
		Retried: retried, MaxRetry: maxRetry, Deadline: millis(deadline), At: time.Now().UnixMilli(),
	}
	emit(line)
	err := behave(ctx, task, retried)
	line.Event = "end"
	if err != nil {
		line.Error = err.Error()
	}
	emit(line)
	return err
}

func behave(ctx context.Context, task *asynq.Task, retried int) error {
	what, argument, _ := strings.Cut(task.Type(), ":")
	number, _ := strconv.Atoi(argument)
	switch what {
	case "result":
		_, err := task.ResultWriter().Write(task.Payload())
		return err
	case "fail":
		return errors.New(string(task.Payload()))
	case "fail-first":
		if retried < number {
			return fmt.Errorf("failure %d", retried+1)
		}
	case "skip":
		return fmt.Errorf("not again: %w", asynq.SkipRetry)
	case "revoke":
		return asynq.RevokeTask
	case "panic":
		panic("as asked")
	case "until-canceled", "stuck-once":
		if what == "stuck-once" && retried > 0 {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	case "sleep":
		select {
		case <-time.After(duration(int64(number))):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// aggregate combines a group into one task whose payload joins the members' payloads with newlines.
func aggregate(group string, tasks []*asynq.Task) *asynq.Task {
	members := make([]string, 0, len(tasks))
	for _, task := range tasks {
		members = append(members, string(task.Payload()))
	}
	emit(workerLine{Event: "aggregate", Group: group, Members: members})
	return asynq.NewTask("ok:aggregated", []byte(strings.Join(members, "\n")))
}

// lineLogger passes the library's warnings and errors on to the tests.
type lineLogger struct{}

func (lineLogger) Debug(...any)      {}
func (lineLogger) Info(...any)       {}
func (lineLogger) Warn(args ...any)  { emit(workerLine{Event: "log", Text: fmt.Sprint(args...)}) }
func (lineLogger) Error(args ...any) { emit(workerLine{Event: "log", Text: fmt.Sprint(args...)}) }
func (lineLogger) Fatal(args ...any) { exit(fmt.Sprint(args...)) }
