package main

import (
	"time"

	"github.com/hibiken/asynq"
)

// taskSpec is a task as the tests describe it. A payload of null is absent, one of "" is empty: Go tells them apart.
type taskSpec struct {
	Type    string            `json:"type"`
	Payload []byte            `json:"payload"`
	Headers map[string]string `json:"headers"`
	// TaskOptions belong to the task, Options to the call that enqueues it.
	TaskOptions []optionSpec `json:"taskOptions"`
	Options     []optionSpec `json:"options"`
}

// optionSpec is one enqueue option. Text holds names, Number holds counts, durations and instants.
type optionSpec struct {
	Kind   string `json:"kind"`
	Text   string `json:"text"`
	Number int64  `json:"number"`
}

func (s taskSpec) task() *asynq.Task {
	return asynq.NewTaskWithHeaders(s.Type, s.Payload, s.Headers, options(s.TaskOptions)...)
}

func options(specs []optionSpec) []asynq.Option {
	built := make([]asynq.Option, 0, len(specs))
	for _, spec := range specs {
		built = append(built, spec.option())
	}
	return built
}

func (o optionSpec) option() asynq.Option {
	switch o.Kind {
	case "queue":
		return asynq.Queue(o.Text)
	case "taskId":
		return asynq.TaskID(o.Text)
	case "group":
		return asynq.Group(o.Text)
	case "maxRetry":
		return asynq.MaxRetry(int(o.Number))
	case "timeout":
		return asynq.Timeout(duration(o.Number))
	case "deadline":
		return asynq.Deadline(time.UnixMilli(o.Number).UTC())
	case "unique":
		return asynq.Unique(duration(o.Number))
	case "processAt":
		return asynq.ProcessAt(time.UnixMilli(o.Number).UTC())
	case "processIn":
		return asynq.ProcessIn(duration(o.Number))
	case "retention":
		return asynq.Retention(duration(o.Number))
	}
	exit("unknown option " + o.Kind)
	return nil
}

// taskLine is what Go knows of a stored task.
type taskLine struct {
	ID            string            `json:"id"`
	Queue         string            `json:"queue"`
	Type          string            `json:"type"`
	Payload       []byte            `json:"payload"`
	Headers       map[string]string `json:"headers"`
	State         string            `json:"state"`
	MaxRetry      int               `json:"maxRetry"`
	Retried       int               `json:"retried"`
	LastErr       string            `json:"lastErr"`
	LastFailedAt  int64             `json:"lastFailedAt"`
	Timeout       int64             `json:"timeout"`
	Deadline      int64             `json:"deadline"`
	Group         string            `json:"group"`
	NextProcessAt int64             `json:"nextProcessAt"`
	IsOrphaned    bool              `json:"isOrphaned"`
	Retention     int64             `json:"retention"`
	CompletedAt   int64             `json:"completedAt"`
	Result        []byte            `json:"result"`
}

func describe(info *asynq.TaskInfo) taskLine {
	return taskLine{
		ID:            info.ID,
		Queue:         info.Queue,
		Type:          info.Type,
		Payload:       info.Payload,
		Headers:       info.Headers,
		State:         info.State.String(),
		MaxRetry:      info.MaxRetry,
		Retried:       info.Retried,
		LastErr:       info.LastErr,
		LastFailedAt:  millis(info.LastFailedAt),
		Timeout:       info.Timeout.Milliseconds(),
		Deadline:      millis(info.Deadline),
		Group:         info.Group,
		NextProcessAt: millis(info.NextProcessAt),
		IsOrphaned:    info.IsOrphaned,
		Retention:     info.Retention.Milliseconds(),
		CompletedAt:   millis(info.CompletedAt),
		Result:        info.Result,
	}
}

func describeAll(infos []*asynq.TaskInfo) []taskLine {
	lines := make([]taskLine, 0, len(infos))
	for _, info := range infos {
		lines = append(lines, describe(info))
	}
	return lines
}
