package node

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Streams that a reader of logs may ask for.
const (
	streamAll    = "All"
	streamStdout = "Stdout"
	streamStderr = "Stderr"
)

// logQuery is what of a log is asked for, as in PodLogOptions.
type logQuery struct {
	follow, previous, timestamps bool
	tail, limit                  int64 // -1 is all
	since                        time.Time
	stream                       int // 1, 2, or 0 for both
}

// parseLogQuery reads the parameters of /containerLogs.
func parseLogQuery(values url.Values, now time.Time) (logQuery, error) {
	q := logQuery{tail: -1, limit: -1}
	for name, into := range map[string]*bool{"follow": &q.follow, "previous": &q.previous, "timestamps": &q.timestamps} {
		if text := values.Get(name); text != "" {
			value, err := strconv.ParseBool(text)
			if err != nil {
				return q, fmt.Errorf("%s: %q is no truth value", name, text)
			}
			*into = value
		}
	}
	number := func(name string, least int64, into *int64) error {
		text := values.Get(name)
		if text == "" || name == "tailLines" && text == "all" {
			return nil
		}
		value, err := strconv.ParseInt(text, 10, 64)
		if err != nil || value < least {
			return fmt.Errorf("%s: %q is not a number of at least %d", name, text, least)
		}
		*into = value
		return nil
	}
	if err := number("tailLines", 0, &q.tail); err != nil {
		return q, err
	}
	if err := number("limitBytes", 1, &q.limit); err != nil {
		return q, err
	}
	var seconds int64
	if err := number("sinceSeconds", 1, &seconds); err != nil {
		return q, err
	}
	if seconds > 0 {
		q.since = now.Add(-time.Duration(seconds) * time.Second)
	}
	if text := values.Get("sinceTime"); text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return q, fmt.Errorf("sinceTime: %q is not a time in RFC 3339 format", text)
		}
		q.since = at
	}
	switch text := values.Get("stream"); text {
	case "", streamAll:
	case streamStdout:
		q.stream = 1
	case streamStderr:
		q.stream = 2
	default:
		return q, fmt.Errorf("stream: %q is none of %s, %s, %s", text, streamAll, streamStdout, streamStderr)
	}
	return q, nil
}

// logs answers with what a container has written.
func (s *server) logs(w http.ResponseWriter, r *http.Request) {
	key, pod, ok := s.asked(w, r)
	if !ok {
		return
	}
	q, err := parseLogQuery(r.URL.Query(), time.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	j := s.node.journal
	run := j.run(key, q.previous)
	if run == nil {
		if why := noLog(pod, key.container, q.previous); why != "" {
			http.Error(w, why, http.StatusBadRequest)
			return
		}
	}
	w.Header().Set("Content-Type", "text/plain")
	out := &logWriter{w: w, q: q}
	out.flush() // the headers, for who follows
	follow := q.follow && !q.previous
	place := 0
	for first := true; ; first = false {
		news := j.next() // before looking: what happens meanwhile is not missed
		ended := !follow
		if run == nil {
			run = j.run(key, false)
		}
		restarts := 0
		if run != nil {
			restarts = run.restarts
		}
		ended = ended || j.ended(key, restarts)
		var lines []line
		if run != nil {
			lines, place = j.since(run, place, !ended)
		}
		lines = q.choose(lines, first)
		if !out.print(lines) || ended {
			return
		}
		select {
		case <-news:
		case <-r.Context().Done():
			return
		}
	}
}

// noLog says why a container that has written nothing has no log, or nothing if the log is empty.
func noLog(pod *corev1.Pod, container string, previous bool) string {
	status := statusOf(pod, container)
	switch {
	case previous && (status == nil || status.RestartCount == 0):
		return fmt.Sprintf("previous terminated container %q in pod %q not found", container, pod.Name)
	case previous:
		return ""
	case status == nil:
		return fmt.Sprintf("container %q in pod %q is waiting to start: %s", container, pod.Name, "PodInitializing")
	case status.State.Waiting != nil && status.LastTerminationState.Terminated == nil:
		return fmt.Sprintf("container %q in pod %q is waiting to start: %s", container, pod.Name, status.State.Waiting.Reason)
	}
	return ""
}

// choose leaves out lines that are not asked for. The number of lines counts for those that are there at first.
func (q *logQuery) choose(lines []line, first bool) []line {
	var out []line
	for _, l := range lines {
		if (q.stream == 0 || q.stream == l.stream) && !l.at.Before(q.since) {
			out = append(out, l)
		}
	}
	if first && q.tail >= 0 && int64(len(out)) > q.tail {
		out = out[int64(len(out))-q.tail:]
	}
	return out
}

// logWriter writes lines to a client.
type logWriter struct {
	w       http.ResponseWriter
	q       logQuery
	written int64
}

// print reports false when nothing more is to be written.
func (l *logWriter) print(lines []line) bool {
	if len(lines) == 0 {
		return true
	}
	var b bytes.Buffer
	for i := range lines {
		if l.q.timestamps {
			b.WriteString(lines[i].at.UTC().Format("2006-01-02T15:04:05.000000000Z07:00") + " ")
		}
		b.Write(lines[i].data)
	}
	text, more := b.Bytes(), true
	if left := l.q.limit - l.written; l.q.limit >= 0 && int64(len(text)) >= left {
		text, more = text[:left], false
	}
	l.written += int64(len(text))
	if _, err := l.w.Write(text); err != nil {
		return false
	}
	l.flush()
	return more
}

func (l *logWriter) flush() {
	if f, ok := l.w.(http.Flusher); ok {
		f.Flush()
	}
}
