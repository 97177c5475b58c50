package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"time"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/postonce/postonce/spec"
)

// A config is a configuration file. What a file does not say keeps its value.
type config struct {
	Hostname  text                  `yaml:"hostname"`
	Listen    text                  `yaml:"listen"`
	Private   yes                   `yaml:"private_intake"`
	Spool     text                  `yaml:"spool"`
	InDoubt   map[string]doubt      `yaml:"in_doubt"`
	TLS       map[string]level      `yaml:"tls"`
	Chunking  map[string]onOff      `yaml:"chunking"`
	Source    map[string][]text     `yaml:"source"`
	Relays    []text                `yaml:"relays"`
	Fallback  []text                `yaml:"fallback"`
	Routes    map[string][]text     `yaml:"routes"`
	Senders   map[string][]text     `yaml:"sender_routes"`
	Login     map[string]login      `yaml:"login"`
	Own       []text                `yaml:"own"`
	Prefer    family                `yaml:"prefer"`
	Resolvers []text                `yaml:"resolvers"`
	Port      count                 `yaml:"port"`
	Schedule  schedule              `yaml:"schedule"`
	Schedules map[string]scheduleAt `yaml:"schedules"`
	Backoff   backoffs              `yaml:"backoff"`
	Warning   warning               `yaml:"delay_warning"`
	Master    text                  `yaml:"postmaster"`
	Limits    limits                `yaml:"limits"`
	Timeouts  timeouts              `yaml:"timeouts"`
	Log       struct {
		Format logFormat `yaml:"format"`
		Level  logLevel  `yaml:"level"`
	} `yaml:"log"`
	Connections connections `yaml:"connections"`
}

type schedule struct {
	First    duration `yaml:"first"`
	Factor   factor   `yaml:"factor"`
	Max      duration `yaml:"max"`
	Jitter   percent  `yaml:"jitter"`
	Lifetime duration `yaml:"lifetime"`
}

type limits struct {
	Deliveries               count `yaml:"deliveries"`
	DeliveriesPerDestination count `yaml:"deliveries_per_destination"`
	FirstPerDestination      count `yaml:"first_per_destination"`
	DeadAfter                count `yaml:"dead_after"`
	PerMinute                count `yaml:"per_minute"`
	ReportsPerHour           count `yaml:"reports_per_hour"`
	RecipientsPerTransaction count `yaml:"recipients_per_transaction"`
	RecipientsPerMessage     count `yaml:"recipients_per_message"`
	MessageBytes             count `yaml:"message_bytes"`
	SubmissionConnections    count `yaml:"submission_connections"`
	WindowGroups             count `yaml:"window_groups"`
	NextHops                 count `yaml:"next_hops"`
	ReplyBytes               count `yaml:"reply_bytes"`
	ChunkBytes               count `yaml:"chunk_bytes"`
}

type timeouts struct {
	Resolve  duration `yaml:"resolve"`
	Connect  duration `yaml:"connect"`
	Greeting duration `yaml:"greeting"`
	EHLO     duration `yaml:"ehlo"`
	STARTTLS duration `yaml:"starttls"`
	AUTH     duration `yaml:"auth"`
	MAIL     duration `yaml:"mail"`
	RCPT     duration `yaml:"rcpt"`
	DATA     duration `yaml:"data"`
	Block    duration `yaml:"block"`
	Dot      duration `yaml:"dot"`
	QUIT     duration `yaml:"quit"`
}

// defaults returns the configuration that an empty file means.
func defaults() *config {
	s, l, t := spec.DefaultSchedule(), spec.DefaultLimits(), spec.DefaultTimeouts()
	c := &config{
		Listen: "127.0.0.1:2525", Spool: "/var/spool/postonce", Port: 25,
		Schedule: schedule{duration(s.First), factor{s.Numerator, s.Denominator}, duration(s.Max), percent(s.Jitter), duration(s.Lifetime)},
		Warning:  warning(spec.DefaultPolicy("").DelayWarning),
		Limits: limits{
			count(l.Deliveries), count(l.DeliveriesPerDestination), count(l.FirstPerDestination), count(l.DeadAfter),
			count(l.PerMinute), count(l.ReportsPerHour), count(l.RecipientsPerTransaction),
			count(l.RecipientsPerMessage), count(l.MessageBytes), 100, count(l.WindowGroups), count(l.NextHops),
			count(l.ReplyBytes), count(l.ChunkBytes),
		},
		Timeouts: timeouts{
			duration(t.Resolve), duration(t.Connect), duration(t.Greeting), duration(t.EHLO), duration(t.STARTTLS), duration(t.AUTH),
			duration(t.MAIL), duration(t.RCPT), duration(t.DATA), duration(t.Block), duration(t.Dot), duration(t.QUIT),
		},
	}
	c.Log.Format = "text"
	c.Connections = defaultConnections()
	return c
}

// policy returns what the configuration says of the rules. It has been
// checked.
func (c *config) policy() spec.Policy {
	l, t := c.Limits, c.Timeouts
	p := spec.Policy{
		Hostname: string(c.Hostname), Relays: texts(c.Relays), Fallback: texts(c.Fallback), Port: uint16(c.Port),
		Routes: c.routes(), SenderRoutes: c.senderRoutes(), Own: texts(c.Own), PreferIPv6: c.Prefer == "ipv6",
		PrivateIntake: bool(c.Private), Source: c.sources(),
		InDoubt: spec.InDoubtPolicy(c.InDoubt[defaultKey]), InDoubtAt: map[string]spec.InDoubtPolicy{},
		TLS: spec.TLSOpportunistic, TLSAt: map[string]spec.TLSLevel{}, ChunkingAt: map[string]bool{}, Logins: c.logins(),
		Schedule:     c.Schedule.policy(),
		DelayWarning: time.Duration(c.Warning), Postmaster: string(c.Master),
		Limits: spec.Limits{
			Deliveries: int(l.Deliveries), DeliveriesPerDestination: int(l.DeliveriesPerDestination),
			FirstPerDestination: int(l.FirstPerDestination), DeadAfter: int(l.DeadAfter), PerMinute: int(l.PerMinute),
			ReportsPerHour: int(l.ReportsPerHour), RecipientsPerTransaction: int(l.RecipientsPerTransaction), RecipientsPerMessage: int(l.RecipientsPerMessage),
			MessageBytes: int64(l.MessageBytes), WindowGroups: int(l.WindowGroups), NextHops: int(l.NextHops),
			ReplyBytes: int(l.ReplyBytes), ChunkBytes: int64(l.ChunkBytes),
		},
		Timeouts: spec.Timeouts{
			Resolve: time.Duration(t.Resolve), Connect: time.Duration(t.Connect), Greeting: time.Duration(t.Greeting),
			EHLO: time.Duration(t.EHLO), STARTTLS: time.Duration(t.STARTTLS), AUTH: time.Duration(t.AUTH), MAIL: time.Duration(t.MAIL),
			RCPT: time.Duration(t.RCPT), DATA: time.Duration(t.DATA), Block: time.Duration(t.Block), Dot: time.Duration(t.Dot), QUIT: time.Duration(t.QUIT),
		},
	}
	p.Reuse = c.Connections.policy()
	c.schedules(&p)
	for key, policy := range c.InDoubt {
		if key != defaultKey {
			p.InDoubtAt[destination(key)] = spec.InDoubtPolicy(policy)
		}
	}
	for key, level := range c.TLS {
		if key == defaultKey {
			p.TLS = spec.TLSLevel(level)
		} else {
			p.TLSAt[destination(key)] = spec.TLSLevel(level)
		}
	}
	for key, on := range c.Chunking {
		if key == defaultKey {
			p.Chunking = bool(on)
		} else {
			p.ChunkingAt[destination(key)] = bool(on)
		}
	}
	return p
}

func texts(list []text) []string {
	var all []string
	for _, t := range list {
		all = append(all, string(t))
	}
	return all
}

// mostConfigBytes bounds a configuration file; a larger one is something else.
const mostConfigBytes = 1 << 20

// load reads and checks a configuration file. Its errors show the place.
func (c console) load(path string) (*config, error) {
	source, err := readBounded(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w: name yours with -c FILE; postonce serve --help shows a whole one", err)
		}
		return nil, fmt.Errorf("the configuration cannot be read: %w", err)
	}
	cfg, err := parse(source)
	if err == nil && cfg.Hostname == "" {
		err = cfg.ownName(c.hostname)
	}
	if err != nil {
		return nil, fmt.Errorf("%s:%s%w", path, separator(err), err)
	}
	return cfg, nil
}

// separator is what stands before an error: one that shows a place in the file
// begins on a line of its own.
func separator(err error) string {
	if strings.Contains(err.Error(), "\n") {
		return "\n"
	}
	return " "
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	source, err := io.ReadAll(io.LimitReader(f, mostConfigBytes+1))
	if len(source) > mostConfigBytes {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, mostConfigBytes)
	}
	return source, err
}

// parse reads a configuration and checks all that it says; only the hostname
// may still be missing.
func parse(source []byte) (*config, error) {
	cfg := defaults()
	file, err := parser.ParseBytes(bytes.TrimPrefix(source, []byte("\ufeff")), 0)
	if err != nil {
		return nil, pointed(err)
	}
	if len(file.Docs) > 1 && file.Docs[1].Body != nil {
		return nil, pointed(&yaml.SyntaxError{Message: "a configuration is one document: remove what follows ---", Token: file.Docs[1].Body.GetToken()})
	}
	if len(file.Docs) == 0 || empty(file.Docs[0].Body) {
		return cfg, nil
	}
	if err := inTheOpen(file.Docs[0].Body); err != nil {
		return nil, err
	}
	if err := plain(file.Docs[0].Body); err != nil {
		return nil, pointed(err)
	}
	// What cannot be read keeps its default, so that the rest can be checked.
	errs := decodeMapping(file.Docs[0].Body, reflect.ValueOf(cfg).Elem())
	return cfg, errors.Join(append(errs, (&checker{config: cfg, file: file}).check())...)
}

// empty reports whether a document says nothing.
func empty(body ast.Node) bool {
	switch body.(type) {
	case nil, *ast.CommentGroupNode, *ast.NullNode:
		return true
	}
	return false
}

// plain returns an error when a document uses more of YAML than a
// configuration needs: tags, anchors and aliases (by which a small file could
// become a large one), and keys without a value, which would stand for a zero
// that was hardly meant.
func plain(body ast.Node) error {
	v := new(plainness)
	ast.Walk(v, body)
	return v.err
}

type plainness struct{ err error }

// Visit implements ast.Visitor.
func (v *plainness) Visit(node ast.Node) ast.Visitor {
	if v.err != nil {
		return nil
	}
	const missing = "there is no value; write one, or leave the key out for the default"
	switch n := node.(type) {
	case *ast.MappingValueNode:
		if null, ok := n.Value.(*ast.NullNode); ok {
			v.err = wrongAt(null, n.Key.GetToken(), missing)
		}
	case *ast.NullNode:
		v.err = wrong(n, missing)
	case *ast.TagNode, *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		v.err = wrong(n, "a configuration is plain YAML, without tags, anchors and aliases")
	}
	return v
}

// pointed is an error that shows a place in the file, as go-yaml prints it. What a
// terminal would obey, in a file that is no configuration at all, is not shown.
func pointed(err error) error {
	shown := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, yaml.FormatError(err, false, true))
	return errors.New(strings.TrimRight(shown, "\n"))
}
