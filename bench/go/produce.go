package main

import (
	"bytes"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
)

func enqueue(s settings) {
	client := asynq.NewClient(s.redis)
	defer client.Close()
	if err := client.Ping(); err != nil {
		fail(err.Error())
	}
	payload := bytes.Repeat([]byte("x"), s.payload)
	var taken atomic.Int64
	var callers sync.WaitGroup
	start := time.Now()
	for range s.callers {
		callers.Add(1)
		go func() {
			defer callers.Done()
			for taken.Add(1) <= int64(s.n) {
				if _, err := client.Enqueue(asynq.NewTask("bench", payload), asynq.Queue(s.queue)); err != nil {
					fail(err.Error())
				}
			}
		}()
	}
	callers.Wait()
	printRate(s.n, time.Since(start))
}

// sent is the payload of a task of pickup.
type sent struct {
	SentAtMicros int64 `json:"sentAtMicros"`
}

func pickup(s settings) {
	client := asynq.NewClient(s.redis)
	defer client.Close()
	// The first call registers the queue and opens the connection: that is not what is measured.
	if err := client.Ping(); err != nil {
		fail(err.Error())
	}
	for range s.n {
		time.Sleep(s.gap)
		payload, err := json.Marshal(sent{SentAtMicros: time.Now().UnixMicro()})
		if err != nil {
			fail(err.Error())
		}
		if _, err := client.Enqueue(asynq.NewTask("bench", payload), asynq.Queue(s.queue)); err != nil {
			fail(err.Error())
		}
	}
	print(struct {
		Tasks int `json:"tasks"`
	}{s.n})
}
