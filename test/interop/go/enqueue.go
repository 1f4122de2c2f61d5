package main

import (
	"errors"

	"github.com/hibiken/asynq"
)

type enqueueAnswer struct {
	Info *taskLine `json:"info"`
	// Refusal is empty, "duplicate", "conflict" or "other".
	Refusal string `json:"refusal"`
	Error   string `json:"error"`
}

// enqueue stores one task per line and answers with what Go's client reports.
func enqueue(redis asynq.RedisConnOpt) {
	client := asynq.NewClient(redis)
	eachLine(func(spec taskSpec) {
		info, err := client.Enqueue(spec.task(), options(spec.Options)...)
		if err != nil {
			emit(enqueueAnswer{Refusal: refusal(err), Error: err.Error()})
			return
		}
		line := describe(info)
		emit(enqueueAnswer{Info: &line})
	})
}

func refusal(err error) string {
	switch {
	case errors.Is(err, asynq.ErrDuplicateTask):
		return "duplicate"
	case errors.Is(err, asynq.ErrTaskIDConflict):
		return "conflict"
	}
	return "other"
}
