package hostos

import (
	"context"
	"log/slog"

	"github.com/postonce/postonce/spec"
)

// LogNote returns a sink for Config.Note that writes each fact as one line to
// log: the kind is the message, and each field that the fact has is an
// attribute of the same name. What goes wrong is a warning, a halt or an alarm is an
// error, and what only says that a step begins is for debugging.
func LogNote(log *slog.Logger) func(spec.Fact) {
	handler := log.Handler()
	return func(f spec.Fact) {
		ctx := context.Background()
		severity := level(f)
		if !handler.Enabled(ctx, severity) {
			return
		}
		record := slog.NewRecord(f.At.Time(), severity, string(f.Kind), 0)
		record.AddAttrs(attributes(f)...)
		_ = handler.Handle(ctx, record) // a log that fails has nowhere to say so
	}
}

// level is how much a fact matters to an operator.
func level(f spec.Fact) slog.Level {
	if f.Verdict == spec.Proceed {
		return slog.LevelInfo // a trouble that changes nothing
	}
	switch f.Kind {
	case spec.FactHalt, spec.FactAlarm:
		return slog.LevelError
	case spec.FactTrouble, spec.FactDoubt, spec.FactDamaged, spec.FactUntold:
		return slog.LevelWarn
	case spec.FactDot, spec.FactIdle:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// attributes returns the fields of f that are not zero, in the order in which
// spec.Fact has them.
func attributes(f spec.Fact) []slog.Attr {
	attrs := make([]slog.Attr, 0, 16)
	text := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	number := func(key string, value int64) {
		if value != 0 {
			attrs = append(attrs, slog.Int64(key, value))
		}
	}
	text("actor", string(f.Actor))
	text("message", f.Message)
	text("queue", string(f.Queue))
	text("job", f.Job)
	if len(f.To) > 0 {
		attrs = append(attrs, slog.Any("to", f.To))
	}
	text("from", f.From)
	if len(f.Notify) > 0 {
		attrs = append(attrs, slog.Any("notify", f.Notify))
	}
	if len(f.Needs) > 0 {
		attrs = append(attrs, slog.Any("needs", f.Needs))
	}
	text("dest", f.Dest)
	text("host", f.Host)
	text("addr", f.Addr)
	text("session", f.Session)
	number("attempt", int64(f.Attempt))
	if f.State != 0 {
		text("state", f.State.String())
	}
	if f.Stage != 0 {
		text("stage", f.Stage.String())
	}
	if f.Event != 0 {
		text("event", f.Event.String())
	}
	if f.Verdict != 0 {
		text("verdict", f.Verdict.String())
	}
	text("reply", f.Reply)
	text("name", f.Name)
	if len(f.Names) > 0 {
		attrs = append(attrs, slog.Any("names", f.Names))
	}
	if f.Due != 0 {
		text("due", f.Due.String())
	}
	number("count", f.Count)
	if len(f.Faults) > 0 {
		attrs = append(attrs, slog.Any("faults", f.Faults))
	}
	text("hash", f.Hash)
	text("text", f.Text)
	return attrs
}
