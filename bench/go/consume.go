package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/hibiken/asynq"
)

func process(s settings) {
	var handled sync.WaitGroup
	handled.Add(s.n)
	server := newServer(s)
	start := time.Now()
	begin(server, func(context.Context, *asynq.Task) error {
		time.Sleep(s.work)
		handled.Done()
		return nil
	})
	handled.Wait()
	printRate(s.n, time.Since(start))
	server.Shutdown()
}

func idle(s settings) {
	var lock sync.Mutex
	millis := make([]float64, 0, s.n)
	done := make(chan struct{})
	server := newServer(s)
	begin(server, func(_ context.Context, task *asynq.Task) error {
		now := time.Now().UnixMicro()
		var payload sent
		if err := json.Unmarshal(task.Payload(), &payload); err != nil {
			fail(err.Error())
		}
		lock.Lock()
		defer lock.Unlock()
		millis = append(millis, float64(now-payload.SentAtMicros)/1000)
		if len(millis) == s.n {
			close(done)
		}
		return nil
	})
	print(struct {
		Event string `json:"event"`
	}{"ready"})
	<-done
	print(struct {
		Tasks  int       `json:"tasks"`
		Millis []float64 `json:"millis"`
	}{s.n, millis})
	server.Shutdown()
}

func serve(s settings) {
	servers := make([]*asynq.Server, s.servers)
	for i := range servers {
		servers[i] = newServer(s)
		begin(servers[i], func(context.Context, *asynq.Task) error { return nil })
	}
	print(struct {
		Event string `json:"event"`
	}{"ready"})
	_, _ = io.Copy(io.Discard, os.Stdin)
	for _, server := range servers {
		server.Shutdown()
	}
}

func newServer(s settings) *asynq.Server {
	queues := map[string]int{}
	for i := range s.queues {
		if s.queues == 1 {
			queues[s.queue] = 1
		} else {
			queues[fmt.Sprintf("%s-%d", s.queue, i)] = 1
		}
	}
	return asynq.NewServer(s.redis, asynq.Config{
		Concurrency: s.concurrency,
		Queues:      queues,
		LogLevel:    asynq.ErrorLevel,
	})
}

func begin(server *asynq.Server, handler asynq.HandlerFunc) {
	if err := server.Start(handler); err != nil {
		fail(err.Error())
	}
}
