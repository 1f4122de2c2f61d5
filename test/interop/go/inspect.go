package main

import (
	"errors"

	"github.com/hibiken/asynq"
)

type question struct {
	Op      string `json:"op"`
	Queue   string `json:"queue"`
	ID      string `json:"id"`
	State   string `json:"state"`
	Group   string `json:"group"`
	Payload []byte `json:"payload"`
	Force   bool   `json:"force"`
	Days    int    `json:"days"`
	// PageSize 0 lists everything.
	PageSize int `json:"pageSize"`
	Page     int `json:"page"`
}

type answer struct {
	Value any `json:"value"`
	// Refusal is empty, "queue-not-found", "queue-not-empty", "task-not-found" or "other".
	Refusal string `json:"refusal"`
	Error   string `json:"error"`
}

// inspect answers one question per line with what Go's inspector says or does.
func inspect(redis asynq.RedisConnOpt) {
	inspector := asynq.NewInspector(redis)
	eachLine(func(q question) {
		value, err := ask(inspector, q)
		if err != nil {
			emit(answer{Refusal: inspectRefusal(err), Error: err.Error()})
			return
		}
		emit(answer{Value: value})
	})
}

func inspectRefusal(err error) string {
	switch {
	case errors.Is(err, asynq.ErrQueueNotFound):
		return "queue-not-found"
	case errors.Is(err, asynq.ErrQueueNotEmpty):
		return "queue-not-empty"
	case errors.Is(err, asynq.ErrTaskNotFound):
		return "task-not-found"
	}
	return "other"
}

func ask(i *asynq.Inspector, q question) (any, error) {
	switch q.Op {
	case "list":
		return list(i, q)
	case "info":
		info, err := i.GetTaskInfo(q.Queue, q.ID)
		if err != nil {
			return nil, err
		}
		return describe(info), nil
	case "run":
		return nil, i.RunTask(q.Queue, q.ID)
	case "archive":
		return nil, i.ArchiveTask(q.Queue, q.ID)
	case "delete":
		return nil, i.DeleteTask(q.Queue, q.ID)
	case "update-payload":
		return nil, i.UpdateTaskPayload(q.Queue, q.ID, q.Payload)
	case "cancel":
		return nil, i.CancelProcessing(q.ID)
	case "run-all":
		return runAll(i, q)
	case "archive-all":
		return archiveAll(i, q)
	case "delete-all":
		return deleteAll(i, q)
	}
	return askQueues(i, q)
}

func askQueues(i *asynq.Inspector, q question) (any, error) {
	switch q.Op {
	case "queues":
		return i.Queues()
	case "queue":
		return i.GetQueueInfo(q.Queue)
	case "history":
		return i.History(q.Queue, q.Days)
	case "groups":
		return i.Groups(q.Queue)
	case "pause":
		return nil, i.PauseQueue(q.Queue)
	case "unpause":
		return nil, i.UnpauseQueue(q.Queue)
	case "delete-queue":
		return nil, i.DeleteQueue(q.Queue, q.Force)
	case "servers":
		return i.Servers()
	case "scheduler-entries":
		return schedulerEntries(i)
	case "scheduler-events":
		return i.ListSchedulerEnqueueEvents(q.ID)
	}
	exit("unknown question " + q.Op)
	return nil, nil
}

func list(i *asynq.Inspector, q question) ([]taskLine, error) {
	page := []asynq.ListOption{asynq.PageSize(q.PageSize), asynq.Page(max(q.Page, 1))}
	var infos []*asynq.TaskInfo
	var err error
	switch q.State {
	case "active":
		infos, err = i.ListActiveTasks(q.Queue, page...)
	case "pending":
		infos, err = i.ListPendingTasks(q.Queue, page...)
	case "scheduled":
		infos, err = i.ListScheduledTasks(q.Queue, page...)
	case "retry":
		infos, err = i.ListRetryTasks(q.Queue, page...)
	case "archived":
		infos, err = i.ListArchivedTasks(q.Queue, page...)
	case "completed":
		infos, err = i.ListCompletedTasks(q.Queue, page...)
	case "aggregating":
		infos, err = i.ListAggregatingTasks(q.Queue, q.Group, page...)
	default:
		exit("unknown state " + q.State)
	}
	return describeAll(infos), err
}

func runAll(i *asynq.Inspector, q question) (int, error) {
	switch q.State {
	case "scheduled":
		return i.RunAllScheduledTasks(q.Queue)
	case "retry":
		return i.RunAllRetryTasks(q.Queue)
	case "archived":
		return i.RunAllArchivedTasks(q.Queue)
	}
	return i.RunAllAggregatingTasks(q.Queue, q.Group)
}

func archiveAll(i *asynq.Inspector, q question) (int, error) {
	switch q.State {
	case "pending":
		return i.ArchiveAllPendingTasks(q.Queue)
	case "scheduled":
		return i.ArchiveAllScheduledTasks(q.Queue)
	case "retry":
		return i.ArchiveAllRetryTasks(q.Queue)
	}
	return i.ArchiveAllAggregatingTasks(q.Queue, q.Group)
}

func deleteAll(i *asynq.Inspector, q question) (int, error) {
	switch q.State {
	case "pending":
		return i.DeleteAllPendingTasks(q.Queue)
	case "scheduled":
		return i.DeleteAllScheduledTasks(q.Queue)
	case "retry":
		return i.DeleteAllRetryTasks(q.Queue)
	case "archived":
		return i.DeleteAllArchivedTasks(q.Queue)
	case "completed":
		return i.DeleteAllCompletedTasks(q.Queue)
	}
	return i.DeleteAllAggregatingTasks(q.Queue, q.Group)
}

type entryLine struct {
	ID      string   `json:"id"`
	Spec    string   `json:"spec"`
	Type    string   `json:"type"`
	Payload []byte   `json:"payload"`
	Options []string `json:"options"`
	Next    int64    `json:"next"`
	Prev    int64    `json:"prev"`
}

func schedulerEntries(i *asynq.Inspector) ([]entryLine, error) {
	entries, err := i.SchedulerEntries()
	lines := make([]entryLine, 0, len(entries))
	for _, entry := range entries {
		line := entryLine{
			ID: entry.ID, Spec: entry.Spec, Type: entry.Task.Type(), Payload: entry.Task.Payload(),
			Next: millis(entry.Next), Prev: millis(entry.Prev),
		}
		for _, option := range entry.Opts {
			line.Options = append(line.Options, option.String())
		}
		lines = append(lines, line)
	}
	return lines, err
}
