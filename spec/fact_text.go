package spec

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The layout of a fact as text: time, actor and kind in columns, then the
// fields that are set, in the order of the struct, as key=value.
const (
	wallLayout  = "2006-01-02T15:04:05.000000000Z"
	actorColumn = len(wallLayout) + 1
	kindColumn  = actorColumn + 24
	fieldColumn = kindColumn + 18
)

// String formats f on one line without a line end. Equal facts are equal
// bytes, and ParseFact reads them back. A value is quoted as in Go where it
// has to be; a list has commas between its values.
func (f Fact) String() string { return string(f.Append(make([]byte, 0, 160))) }

// Append appends what String returns to b.
func (f Fact) Append(b []byte) []byte {
	start := len(b)
	b = f.At.Time().AppendFormat(b, wallLayout)
	b = pad(b, start+actorColumn)
	name, server := strings.CutPrefix(string(f.Actor), "server ")
	switch {
	case server:
		b = appendValue(append(b, "server "...), name)
	case name == "server":
		b = strconv.AppendQuote(b, name) // or it would be half of an actor
	default:
		b = appendValue(b, name)
	}
	b = pad(b, start+kindColumn)
	b = appendValue(b, string(f.Kind))
	padded := pad(b, start+fieldColumn)
	if all := f.appendFields(padded); len(all) > len(padded) {
		return all[:len(all)-1]
	}
	return b
}

// appendFields appends each field that is set, and a space.
func (f *Fact) appendFields(b []byte) []byte {
	b = appendText(b, "message", f.Message)
	b = appendText(b, "queue", string(f.Queue))
	b = appendText(b, "job", f.Job)
	b = appendList(b, "to", f.To)
	b = appendText(b, "from", f.From)
	b = appendList(b, "notify", f.Notify)
	b = appendList(b, "needs", f.Needs)
	b = appendText(b, "dest", f.Dest)
	b = appendText(b, "host", f.Host)
	b = appendText(b, "addr", f.Addr)
	b = appendText(b, "session", f.Session)
	b = appendNumber(b, "attempt", int64(f.Attempt))
	if f.State.Valid() {
		b = appendText(b, "state", f.State.String())
	} else {
		b = appendNumber(b, "state", int64(f.State))
	}
	if f.Stage >= StageResolve && f.Stage <= StageIdle {
		b = appendText(b, "stage", f.Stage.String())
	} else {
		b = appendNumber(b, "stage", int64(f.Stage))
	}
	if f.Event >= Reply2 && f.Event <= Untrusted {
		b = appendText(b, "event", f.Event.String())
	} else {
		b = appendNumber(b, "event", int64(f.Event))
	}
	if f.Verdict >= Proceed && f.Verdict <= InDoubt {
		b = appendText(b, "verdict", f.Verdict.String())
	} else {
		b = appendNumber(b, "verdict", int64(f.Verdict))
	}
	b = appendText(b, "reply", f.Reply)
	b = appendText(b, "name", f.Name)
	b = appendList(b, "names", f.Names)
	if f.Due != 0 {
		b = append(b, "due="...)
		b = append(f.Due.Time().AppendFormat(b, wallLayout), ' ')
	}
	b = appendNumber(b, "count", f.Count)
	b = appendList(b, "faults", f.Faults)
	b = appendText(b, "hash", f.Hash)
	return appendText(b, "text", f.Text)
}

// pad appends spaces until b is column bytes long; one at least.
func pad(b []byte, column int) []byte {
	b = append(b, ' ')
	for len(b) < column {
		b = append(b, ' ')
	}
	return b
}

func appendText(b []byte, key, value string) []byte {
	if value == "" {
		return b
	}
	b = append(append(b, key...), '=')
	return append(appendValue(b, value), ' ')
}

func appendList[S ~string](b []byte, key string, values []S) []byte {
	for i, v := range values {
		if i == 0 {
			b = append(append(b, key...), '=')
		}
		b = append(appendValue(b, string(v)), ',')
	}
	if len(values) > 0 {
		b[len(b)-1] = ' '
	}
	return b
}

func appendNumber(b []byte, key string, n int64) []byte {
	if n == 0 {
		return b
	}
	b = append(append(b, key...), '=')
	return append(strconv.AppendInt(b, n, 10), ' ')
}

func appendValue(b []byte, value string) []byte {
	if plain(value) {
		return append(b, value...)
	}
	return strconv.AppendQuote(b, value)
}

// plain reports whether a value may stand without quotes.
func plain(value string) bool {
	for i := range len(value) {
		if c := value[i]; c <= ' ' || c >= 0x7f || c == '"' || c == ',' {
			return false
		}
	}
	return value != ""
}

// ParseFact is the inverse of Fact.String. It takes any number of spaces
// between columns, and fields in any order, each at most once.
func ParseFact(line string) (Fact, error) {
	var f Fact
	p := factParser{rest: line}
	at, err := p.word("time")
	if err != nil {
		return Fact{}, err
	}
	if f.At, err = parseWall(at); err != nil {
		return Fact{}, err
	}
	actor, err := p.word("actor")
	if err != nil {
		return Fact{}, err
	}
	if actor == "server" && !p.quoted {
		name, err := p.word("server name")
		if err != nil {
			return Fact{}, err
		}
		actor = string(ServerActor(name))
	}
	kind, err := p.word("kind")
	if err != nil {
		return Fact{}, err
	}
	f.Actor, f.Kind = Actor(actor), FactKind(kind)
	seen := map[string]bool{}
	for p.skip(); p.rest != ""; p.skip() {
		key, rest, ok := strings.Cut(p.rest, "=")
		if !ok {
			return Fact{}, fmt.Errorf("fact: %q is not key=value", p.rest)
		}
		if seen[key] {
			return Fact{}, fmt.Errorf("fact: %q stands twice", key)
		}
		seen[key] = true
		p.rest = rest
		if err := p.field(&f, key); err != nil {
			return Fact{}, err
		}
	}
	return f, nil
}

// A factParser reads a line from its front.
type factParser struct {
	rest string
	// quoted is true when the last value stood in quotes.
	quoted bool
}

func (p *factParser) skip() { p.rest = strings.TrimLeft(p.rest, " ") }

// word reads a value after spaces and up to a space or the end.
func (p *factParser) word(what string) (string, error) {
	p.skip()
	v, err := p.value()
	if err == nil && p.rest != "" && p.rest[0] != ' ' {
		err = fmt.Errorf("unexpected %q", p.rest)
	}
	if err != nil {
		return "", fmt.Errorf("fact: %s: %w", what, err)
	}
	return v, nil
}

// value reads one value, quoted or plain; it may not be empty unless quoted.
func (p *factParser) value() (string, error) {
	p.quoted = strings.HasPrefix(p.rest, `"`)
	if p.quoted {
		q, err := strconv.QuotedPrefix(p.rest)
		if err != nil {
			return "", fmt.Errorf("unfinished quotes in %q", p.rest)
		}
		p.rest = p.rest[len(q):]
		return strconv.Unquote(q)
	}
	end := strings.IndexAny(p.rest, " ,")
	if end < 0 {
		end = len(p.rest)
	}
	v := p.rest[:end]
	if !plain(v) {
		return "", fmt.Errorf("%q must be quoted", v)
	}
	p.rest = p.rest[end:]
	return v, nil
}

// list reads values with commas between them.
func (p *factParser) list() ([]string, error) {
	var all []string
	for {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		all = append(all, v)
		if !strings.HasPrefix(p.rest, ",") {
			return all, nil
		}
		p.rest = p.rest[1:]
	}
}

// field reads the value of key into f.
func (p *factParser) field(f *Fact, key string) error {
	if key == "to" || key == "names" || key == "notify" || key == "needs" || key == "faults" {
		list, err := p.list()
		if err == nil && p.rest != "" && p.rest[0] != ' ' {
			err = fmt.Errorf("unexpected %q", p.rest)
		}
		if err != nil {
			return fmt.Errorf("fact: %s: %w", key, err)
		}
		switch key {
		case "to":
			f.To = list
			return nil
		case "names":
			f.Names = list
			return nil
		case "notify":
			f.Notify = list
			return nil
		case "needs":
			f.Needs = list
			return nil
		}
		for _, v := range list {
			f.Faults = append(f.Faults, Fault(v))
		}
		return nil
	}
	v, err := p.word(key)
	if err != nil {
		return err
	}
	texts := map[string]*string{
		"message": &f.Message, "queue": (*string)(&f.Queue), "job": &f.Job, "from": &f.From, "dest": &f.Dest, "host": &f.Host,
		"addr": &f.Addr, "session": &f.Session, "reply": &f.Reply, "name": &f.Name, "hash": &f.Hash, "text": &f.Text,
	}
	if t := texts[key]; t != nil {
		*t = v
		return nil
	}
	switch key {
	case "due":
		f.Due, err = parseWall(v)
	case "attempt":
		f.Attempt, err = strconv.Atoi(v)
	case "count":
		f.Count, err = strconv.ParseInt(v, 10, 64)
	case "state":
		f.State, err = nameOrNumber(v, ParseRecipientState)
	case "stage":
		f.Stage, err = nameOrNumber(v, ParseStage)
	case "event":
		f.Event, err = nameOrNumber(v, ParseEvent)
	case "verdict":
		f.Verdict, err = nameOrNumber(v, ParseVerdict)
	default:
		return fmt.Errorf("fact: no field is called %q", key)
	}
	if err != nil {
		return fmt.Errorf("fact: %s: %w", key, err)
	}
	return nil
}

// nameOrNumber reads a value of an enumeration: its name, or the number of one
// that has none.
func nameOrNumber[E ~uint8](v string, parse func(string) (E, error)) (E, error) {
	e, err := parse(v)
	if err == nil {
		return e, nil
	}
	n, err := strconv.ParseUint(v, 10, 8)
	return E(n), err
}

// parseWall is the inverse of Wall.String.
func parseWall(s string) (Wall, error) {
	t, err := time.Parse(wallLayout, s)
	if err != nil {
		return 0, fmt.Errorf("fact: time: %w", err)
	}
	w := WallOf(t)
	if w.Time() != t {
		return 0, fmt.Errorf("fact: time %s is out of range", s)
	}
	return w, nil
}
