package main

import (
	"os"
	"time"

	"github.com/hibiken/asynq"
)

type scheduleConfig struct {
	Entries []struct {
		Spec string   `json:"spec"`
		Task taskSpec `json:"task"`
	} `json:"entries"`
}

type scheduleLine struct {
	// Event is "ready", "enqueued" or "closed".
	Event   string   `json:"event"`
	Entries []string `json:"entries,omitempty"`
	Info    any      `json:"info,omitempty"`
}

// schedule runs a scheduler that publishes its entries twice a second, until it is told to shut down.
func schedule(redis asynq.RedisConnOpt, text string) {
	config := parse[scheduleConfig](text)
	scheduler := asynq.NewScheduler(redis, &asynq.SchedulerOpts{
		HeartbeatInterval: 500 * time.Millisecond,
		Logger:            lineLogger{},
		PostEnqueueFunc: func(info *asynq.TaskInfo, err error) {
			if err == nil {
				emit(scheduleLine{Event: "enqueued", Info: describe(info)})
			}
		},
	})
	var ids []string
	for _, entry := range config.Entries {
		id, err := scheduler.Register(entry.Spec, entry.Task.task(), options(entry.Task.Options)...)
		if err != nil {
			exit(err.Error())
		}
		ids = append(ids, id)
	}
	if err := scheduler.Start(); err != nil {
		exit(err.Error())
	}
	emit(scheduleLine{Event: "ready", Entries: ids})
	eachLine(func(string) {
		scheduler.Shutdown()
		emit(scheduleLine{Event: "closed"})
		os.Exit(0)
	})
}
