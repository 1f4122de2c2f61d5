package main

import (
	"bufio"
	"encoding/json"
	"os"
	"sync"
	"time"
)

var output struct {
	sync.Mutex
	*json.Encoder
}

func init() {
	output.Encoder = json.NewEncoder(os.Stdout)
	output.SetEscapeHTML(false)
}

// emit writes one JSON line; handlers call it from many goroutines.
func emit(line any) {
	output.Lock()
	defer output.Unlock()
	if err := output.Encode(line); err != nil {
		exit("cannot write: " + err.Error())
	}
}

// eachLine calls handle with every line of stdin until it ends.
func eachLine[T any](handle func(T)) {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 64*1024), 64*1024*1024)
	for lines.Scan() {
		var line T
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			exit("cannot read " + lines.Text() + ": " + err.Error())
		}
		handle(line)
	}
}

func parse[T any](text string) T {
	var value T
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		exit("cannot read " + text + ": " + err.Error())
	}
	return value
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func duration(ms int64) time.Duration {
	return time.Duration(ms) * time.Millisecond
}
