package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// cronRequest asks for ticks strictly after From: the next Count of them, all of them up to and including Until, or as
// many as both allow.
type cronRequest struct {
	Spec  string `json:"spec"`
	Zone  string `json:"zone"`
	From  int64  `json:"from"`
	Until int64  `json:"until"`
	Count int    `json:"count"`
}

// cronAnswer is what the parser and the schedule say; only what was asked for is present.
type cronAnswer struct {
	Rejected bool `json:"rejected,omitempty"`
	// Ticks in epoch seconds; fewer than Count when it never fires again.
	Ticks []int64 `json:"ticks,omitempty"`
	// Months holds "<ticks>:<first half of the SHA-256 of their epoch seconds, joined by commas>", by month in UTC.
	Months []string `json:"months,omitempty"`
}

// mostWhole is how many ticks of a year are listed one by one; more of them are summed up by month.
const mostWhole = 60

func ticksOf() {
	eachLine(func(request cronRequest) { emit(answerCron(request)) })
}

func answerCron(request cronRequest) (answer cronAnswer) {
	// A zone with nothing behind it makes the parser panic.
	defer func() {
		if recover() != nil {
			answer = cronAnswer{Rejected: true}
		}
	}()
	zone, err := time.LoadLocation(request.Zone)
	if err != nil {
		exit(err.Error())
	}
	schedule, err := parserFor(request.Spec).Parse(request.Spec)
	if err != nil {
		return cronAnswer{Rejected: true}
	}
	ticks := []int64{}
	for t := schedule.Next(time.UnixMilli(request.From).In(zone)); !t.IsZero(); t = schedule.Next(t) {
		if request.Count > 0 && len(ticks) == request.Count || request.Until > 0 && t.UnixMilli() > request.Until {
			break
		}
		ticks = append(ticks, t.Unix())
	}
	if request.Count > 0 || len(ticks) <= mostWhole {
		return cronAnswer{Ticks: ticks}
	}
	return cronAnswer{Months: sumUp(ticks)}
}

// parserFor returns the scheduler's own parser, or for six fields the same with seconds in front.
func parserFor(spec string) cron.Parser {
	fields := cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor
	count := len(strings.Fields(spec))
	if strings.Contains(spec, "TZ=") {
		count--
	}
	if count == 6 && !strings.Contains(spec, "@") {
		fields |= cron.Second
	}
	return cron.NewParser(fields)
}

func sumUp(ticks []int64) []string {
	months := make([][]string, 12)
	for _, tick := range ticks {
		month := time.Unix(tick, 0).UTC().Month() - 1
		months[month] = append(months[month], fmt.Sprint(tick))
	}
	sums := make([]string, 0, 12)
	for _, month := range months {
		sum := sha256.Sum256([]byte(strings.Join(month, ",")))
		sums = append(sums, fmt.Sprintf("%d:%s", len(month), hex.EncodeToString(sum[:8])))
	}
	return sums
}
