package main

import (
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/tools/txtar"

	"github.com/postonce/postonce/spec"
)

var rewrite = flag.Bool("rewrite", false, "write what is printed into the golden files; read the difference before committing it")

// TestConfigErrorsSayWhereAndWhatIsAllowed reads testdata/config.txtar: pairs
// of a configuration, NAME.yaml, and what check prints for it, NAME.txt.
func TestConfigErrorsSayWhereAndWhatIsAllowed(t *testing.T) {
	golden := filepath.Join("testdata", "config.txtar")
	archive, err := txtar.ParseFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for i := 0; i+1 < len(archive.Files); i += 2 {
		given, want := archive.Files[i], &archive.Files[i+1]
		name, _ := strings.CutSuffix(given.Name, ".yaml")
		t.Run(name, func(t *testing.T) {
			if want.Name != name+".txt" {
				t.Fatalf("after %s comes %s", given.Name, want.Name)
			}
			path := filepath.Join(dir, given.Name)
			if err := os.WriteFile(path, given.Data, 0o600); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			c := testConsole(&out)
			status := run(c, []string{"check", "--config", path})
			got := strings.ReplaceAll(out.String(), dir+string(filepath.Separator), "")
			if !strings.HasSuffix(got, "\n") {
				got += "\n"
			}
			if wantStatus := exitUsage; status != wantStatus && strings.HasPrefix(got, "postonce:") {
				t.Errorf("exit status %d, want %d", status, wantStatus)
			}
			if *rewrite {
				want.Data = []byte(got)
				return
			}
			if d := cmp.Diff(string(want.Data), got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	if *rewrite {
		if err := os.WriteFile(golden, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// testConsole returns a console that writes into out, at a fixed time on a
// machine without a full name.
func testConsole(out *strings.Builder) console {
	return console{
		out: out, err: out,
		now:      func() time.Time { return time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) },
		hostname: func() (string, error) { return "workstation", nil },
	}
}

func TestTheExampleConfigSaysTheDefaults(t *testing.T) {
	cfg, err := parse([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Hostname = "mail.example.org"
	want.InDoubt = map[string]doubt{defaultKey: doubt(spec.DoubtReport)}
	if d := cmp.Diff(want.policy(), cfg.policy()); d != "" {
		t.Errorf("policy (-defaults +example):\n%s", d)
	}
	if cfg.Listen != want.Listen || cfg.Spool != want.Spool || cfg.Log != want.Log || len(cfg.Resolvers) != 0 ||
		cfg.Limits.SubmissionConnections != want.Limits.SubmissionConnections {
		t.Errorf("example %+v\ndefaults %+v", cfg, want)
	}
}

// TestTheExampleNamesEveryKey fails when a key is added and not taught.
func TestTheExampleNamesEveryKey(t *testing.T) {
	taught := example
	for _, key := range yamlKeys() {
		if !strings.Contains(taught, key+":") {
			t.Errorf("example.yaml does not mention %s", key)
		}
	}
}

func TestDefaultsAreThoseOfSpec(t *testing.T) {
	cfg, err := parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Hostname = "mail.example.org"
	want := spec.DefaultPolicy("mail.example.org")
	got := cfg.policy()
	got.InDoubtAt, got.TLSAt, got.ChunkingAt = nil, nil, nil
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-spec +config):\n%s", d)
	}
}

func TestEveryKeyReachesThePolicy(t *testing.T) {
	cfg, err := parse([]byte(`
hostname: relay.example.net
listen: "[::1]:25"
spool: /tmp/spool
in_doubt: {default: hold, Example.COM.: retry}
tls: {default: off, Example.COM.: verified, "[192.0.2.9]": required}
source: {default: [192.0.2.7, "2001:db8::7"], Example.COM.: [192.0.2.8], "[192.0.2.9]": []}
chunking: {default: on, Example.COM: on, "[192.0.2.9]": off}
fallback: ["[192.0.2.9]:2525"]
routes: {Example.NET.: ["mx.example.org:2525", 192.0.2.7], .bücher.example: [b.example.org], "[192.0.2.1]": [c.example.org]}
login:
  MX.Example.org: {user: relay, secret_env: A, mechanisms: [plain, SCRAM-SHA-256], clear: true}
  "[192.0.2.9]": {user: me@example.net, secret_file: /run/secret}
prefer: ipv6
private_intake: true
own: [mx.example.net, "2001:db8::1"]
resolvers: [192.0.2.53, "[2001:db8::53]:5353"]
port: 2526
schedule: {first: 1s, factor: 3/2, max: 90s, jitter: 7%, lifetime: 1h}
schedules:
  Example.COM.: {first: 2s, factor: 2, max: 91s, jitter: 0%, lifetime: 2h, delay_warning: never}
  example.net: {lifetime: 30m}
backoff: {greylisted: {first: 3s, factor: 1, max: 1m}, mailbox_full: {max: 2m}, unreached: {factor: 2}}
delay_warning: 20m
postmaster: root@example.org
limits:
  deliveries: 1
  deliveries_per_destination: 2
  first_per_destination: 9
  dead_after: 10
  per_minute: 11
  reports_per_hour: 17
  recipients_per_transaction: 3
  recipients_per_message: 104
  message_bytes: 65541
  submission_connections: 6
  window_groups: 7
  next_hops: 8
  reply_bytes: 519
  chunk_bytes: 10
timeouts: {resolve: 1s, connect: 2s, greeting: 3s, ehlo: 4s, starttls: 10s, auth: 12s, mail: 5s, rcpt: 6s, data: 7s, block: 8s, dot: 11m, quit: 9s}
log: {format: json, level: debug}
connections: {messages: 10, age: 11m, idle: 12s, kept: 13, kept_per_destination: 14}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := spec.Policy{
		Hostname: "relay.example.net", Fallback: []string{"[192.0.2.9]:2525"}, Port: 2526,
		Routes: map[string][]string{
			"example.net": {"mx.example.org:2525", "192.0.2.7"}, ".xn--bcher-kva.example": {"b.example.org"}, "[192.0.2.1]": {"c.example.org"},
		},
		Logins: map[string]spec.Login{
			"mx.example.org": {User: "relay", Mechanisms: []spec.Mechanism{spec.Plain, spec.SCRAMSHA256}, Clear: true},
			"[192.0.2.9]":    {User: "me@example.net"},
		},
		Source: map[string][]netip.Addr{
			"": {netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")}, "example.com": {netip.MustParseAddr("192.0.2.8")}, "[192.0.2.9]": {},
		},
		Own: []string{"mx.example.net", "2001:db8::1"}, PreferIPv6: true, PrivateIntake: true,
		InDoubt: spec.DoubtHold, InDoubtAt: map[string]spec.InDoubtPolicy{"example.com": spec.DoubtRetry},
		TLS: spec.TLSOff, TLSAt: map[string]spec.TLSLevel{"example.com": spec.TLSVerified, "[192.0.2.9]": spec.TLSRequired},
		Chunking:   true,
		ChunkingAt: map[string]bool{"example.com": true, "[192.0.2.9]": false},
		Schedule:   spec.Schedule{First: time.Second, Max: 90 * time.Second, Numerator: 3, Denominator: 2, Jitter: 7, Lifetime: time.Hour},
		ScheduleAt: map[string]spec.Schedule{
			"example.com": {First: 2 * time.Second, Max: 91 * time.Second, Numerator: 2, Denominator: 1, Lifetime: 2 * time.Hour},
			"example.net": {First: time.Second, Max: 90 * time.Second, Numerator: 3, Denominator: 2, Jitter: 7, Lifetime: 30 * time.Minute},
		},
		Backoffs: spec.Backoffs{
			spec.CauseGreylisted:  {First: 3 * time.Second, Max: time.Minute, Numerator: 1, Denominator: 1},
			spec.CauseMailboxFull: {First: time.Second, Max: 2 * time.Minute, Numerator: 3, Denominator: 2},
			spec.CauseUnreached:   {First: time.Second, Max: 90 * time.Second, Numerator: 2, Denominator: 1},
		},
		DelayWarningAt: map[string]time.Duration{"example.com": 0},
		DelayWarning:   20 * time.Minute,
		Postmaster:     "root@example.org",
		Limits: spec.Limits{
			Deliveries: 1, DeliveriesPerDestination: 2, FirstPerDestination: 9, DeadAfter: 10, PerMinute: 11, ReportsPerHour: 17,
			RecipientsPerTransaction: 3, RecipientsPerMessage: 104,
			MessageBytes: 65541, WindowGroups: 7, NextHops: 8, ReplyBytes: 519, ChunkBytes: 10,
		},
		Timeouts: spec.Timeouts{
			Resolve: time.Second, Connect: 2 * time.Second, Greeting: 3 * time.Second, EHLO: 4 * time.Second, STARTTLS: 10 * time.Second,
			AUTH: 12 * time.Second, MAIL: 5 * time.Second, RCPT: 6 * time.Second, DATA: 7 * time.Second, Block: 8 * time.Second, Dot: 11 * time.Minute,
			QUIT: 9 * time.Second,
		},
		Reuse: spec.Reuse{Messages: 10, Age: 11 * time.Minute, Idle: 12 * time.Second, Kept: 13, KeptPerDestination: 14},
	}
	if d := cmp.Diff(want, cfg.policy(), cmpopts.EquateComparable(netip.Addr{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if cfg.Limits.SubmissionConnections != 6 || !slices.Equal(texts(cfg.Resolvers), []string{"192.0.2.53", "[2001:db8::53]:5353"}) {
		t.Errorf("%+v", cfg)
	}
}

func TestADelayWarningIsATimeOrNever(t *testing.T) {
	for text, want := range map[string]time.Duration{"never": 0, "90m": 90 * time.Minute} {
		cfg, err := parse([]byte("hostname: mail.example.org\ndelay_warning: " + text))
		if err != nil || cfg.policy().DelayWarning != want {
			t.Errorf("%s: %v, %v", text, cfg.policy().DelayWarning, err)
		}
	}
	for _, text := range []string{"0", "0s", "-1h", "often"} {
		if _, err := parse([]byte("hostname: mail.example.org\ndelay_warning: " + text)); err == nil || !strings.Contains(err.Error(), "or never") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestTheMachinesNameIsTakenOnlyWhenItIsFull(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		ok   bool
	}{
		{"mail.example.org", nil, true},
		{"mail", nil, false},
		{"192.0.2.1", nil, false},
		{"", nil, false},
		{"mail.-bad.example", nil, false},
		{"mail.example.org", errors.New("no name today"), false},
	} {
		cfg := defaults()
		err := cfg.ownName(func() (string, error) { return c.name, c.err })
		if (err == nil) != c.ok || (cfg.Hostname == "mail.example.org") != c.ok {
			t.Errorf("%q, %v: hostname %q, error %v", c.name, c.err, cfg.Hostname, err)
		}
	}
}

// FuzzParse finds input that makes the parser panic, or that it takes though
// the rules could not be kept with it.
func FuzzParse(f *testing.F) {
	f.Add([]byte(example))
	archive, err := txtar.ParseFile(filepath.Join("testdata", "config.txtar"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range archive.Files {
		if strings.HasSuffix(file.Name, ".yaml") {
			f.Add(file.Data)
		}
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		cfg, err := parse(source)
		if err != nil {
			return
		}
		if cfg.Hostname == "" {
			cfg.Hostname = "mail.example.org"
		}
		if err := cfg.policy().Validate(); err != nil {
			t.Errorf("accepted, but: %v", err)
		}
	})
}

// A file that is no configuration may hold anything.
func TestErrorsOfAConfigurationDoNotDriveTheTerminal(t *testing.T) {
	for _, text := range []string{"hostname\x1b[2J", "\x1b]0;title\a", "hostname: a.example\n\x9b5n: 1\n"} {
		_, err := parse([]byte(text))
		if err == nil || strings.ContainsAny(err.Error(), "\x1b\a\u009b") {
			t.Errorf("%q: %q", text, err)
		}
	}
}
