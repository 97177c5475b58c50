package route

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postonce/postonce/spec"
)

var compareAddrs = cmpopts.EquateComparable(netip.Addr{})

func TestHostsFollowsRFC5321Section51(t *testing.T) {
	literal4, literal6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	tests := []struct {
		name   string
		dest   string
		answer Answer
		want   []Host
		event  spec.Event
		text   string
	}{
		{
			name: "lower preferences first, names canonical", dest: "example.net",
			answer: Answer{MX: []MX{{"mx2.example.net.", 20}, {"MX1.Example.Net.", 10}}},
			want:   []Host{{Name: "mx1.example.net", Port: 25, Preference: 10}, {Name: "mx2.example.net", Port: 25, Preference: 20}},
		},
		{
			name: "no MX is an implicit MX", dest: "Example.NET.", answer: Answer{Event: spec.NoAddress},
			want: []Host{{Name: "example.net", Port: 25}},
		},
		{
			name: "an empty list is no MX", dest: "example.net",
			want: []Host{{Name: "example.net", Port: 25}},
		},
		{
			name: "an implicit MX that is ourselves is a loop", dest: "relay.example.org", answer: Answer{Event: spec.NoAddress},
			event: spec.Loop, text: "relay.example.org has no MX record and is this relay itself",
		},
		{
			name: "a null MX takes no mail", dest: "example.net", answer: Answer{MX: []MX{{".", 0}}},
			event: spec.NullMX, text: "example.net takes no mail: it has a null MX record (RFC 7505)",
		},
		{
			name: "a dot beside others is ignored", dest: "example.net", answer: Answer{MX: []MX{{".", 0}, {"mx.example.net.", 10}}},
			want: []Host{{Name: "mx.example.net", Port: 25, Preference: 10}},
		},
		{
			name: "our name cuts its own preference and the worse ones", dest: "example.net",
			answer: Answer{MX: []MX{{"a.net.", 5}, {"b.net.", 10}, {"RELAY.example.org.", 10}, {"c.net.", 20}}},
			want:   []Host{{Name: "a.net", Port: 25, Preference: 5}},
		},
		{
			name: "our name at its best preference cuts", dest: "example.net",
			answer: Answer{MX: []MX{{"relay.example.org.", 30}, {"b.net.", 20}, {"a.net.", 10}, {"relay.example.org.", 20}}},
			want:   []Host{{Name: "a.net", Port: 25, Preference: 10}},
		},
		{
			name: "nothing better than us is a loop", dest: "example.net",
			answer: Answer{MX: []MX{{"relay.example.org.", 10}, {"b.net.", 10}, {"c.net.", 20}}},
			event:  spec.Loop, text: "the best MX of example.net is this relay itself: MX 10 relay.example.org (RFC 5321 section 5.1)",
		},
		{
			name: "a host given twice is kept at its best preference", dest: "example.net",
			answer: Answer{MX: []MX{{"a.net.", 30}, {"b.net.", 20}, {"A.net.", 10}}},
			want:   []Host{{Name: "a.net", Port: 25, Preference: 10}, {Name: "b.net", Port: 25, Preference: 20}},
		},
		{
			name: "an address as MX is skipped", dest: "example.net",
			answer: Answer{MX: []MX{{"192.0.2.7.", 5}, {"a.net.", 10}}},
			want:   []Host{{Name: "a.net", Port: 25, Preference: 10}},
		},
		{
			name: "no usable MX is no implicit MX", dest: "example.net",
			answer: Answer{MX: []MX{{"192.0.2.7.", 5}, {`a\000b.net.`, 6}, {"a..b.", 7}, {"10.0.0.1", 8}}},
			event:  spec.NoAddress,
			text: `example.net has no usable MX record: MX 5 "192.0.2.7" is an address, not a host name, ` +
				`MX 6 "a\\000b.net" has a character that no host name has, MX 7 "a..b" has a label that is empty or longer than 63 octets`,
		},
		{
			name: "NXDOMAIN", dest: "example.net", answer: Answer{Event: spec.NoDomain, Text: "MX example.net: NXDOMAIN"},
			event: spec.NoDomain, text: "MX example.net: NXDOMAIN",
		},
		{
			name: "trouble says something even without a text", dest: "example.net", answer: Answer{Event: spec.DNSTrouble},
			event: spec.DNSTrouble, text: "MX example.net: dns-trouble",
		},
		{
			name: "an IPv4 literal needs no DNS", dest: "[192.0.2.1]", answer: Answer{Event: spec.DNSTrouble},
			want: []Host{{Name: "[192.0.2.1]", Port: 25, Addr: literal4}},
		},
		{
			name: "an IPv6 literal needs no DNS", dest: "[IPv6:2001:DB8::1]",
			want: []Host{{Name: "[ipv6:2001:db8::1]", Port: 25, Addr: literal6}},
		},
		{name: "IPv6 without its tag", dest: "[2001:db8::1]", event: spec.NoDomain,
			text: `"[2001:db8::1]" is not an address literal (RFC 5321 section 4.1.3)`},
		{name: "a broken literal", dest: "[192.0.2.1", event: spec.NoDomain,
			text: `"[192.0.2.1" is not an address literal (RFC 5321 section 4.1.3)`},
		{name: "a literal of no host", dest: "[0.0.0.0]", event: spec.NoAddress, text: "0.0.0.0 is not the address of a host"},
		{name: "no domain at all", dest: "", event: spec.NoDomain, text: "the address has no domain"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := spec.Policy{Hostname: "Relay.example.org."}
			got, problem := Hosts(p, tt.dest, tt.answer, rand.New(rand.NewPCG(1, 2)))
			if diff := cmp.Diff(tt.want, got, compareAddrs); diff != "" {
				t.Errorf("hosts (-want +got):\n%s", diff)
			}
			switch {
			case problem == nil && tt.event != 0:
				t.Errorf("no problem, want %v", tt.event)
			case problem != nil && (problem.Event != tt.event || problem.Error() != tt.text):
				t.Errorf("problem %v %q\nwant    %v %q", problem.Event, problem.Text, tt.event, tt.text)
			}
		})
	}
}

func TestRelayModeLooksAtNoMX(t *testing.T) {
	p := spec.Policy{Hostname: "relay.example.org", Port: 2525, Relays: []string{"smart.example.org:587", "192.0.2.9"}}
	got, problem := Hosts(p, spec.RelayDestination, Answer{Event: spec.NoDomain, MX: []MX{{"mx.example.net.", 1}}}, nil)
	want := []Host{
		{Name: "smart.example.org", Port: 587},
		{Name: "[192.0.2.9]", Port: 2525, Preference: 1, Addr: netip.MustParseAddr("192.0.2.9")},
	}
	if problem != nil {
		t.Fatal(problem)
	}
	if diff := cmp.Diff(want, got, compareAddrs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFallbackComesLastAndNotAfterAProblem(t *testing.T) {
	p := spec.Policy{Port: 25, Fallback: []string{"mx.example.net", "spare.example.org"}}
	got, problem := Hosts(p, "example.net", Answer{MX: []MX{{"mx.example.net", 65535}}}, nil)
	want := []Host{
		{Name: "mx.example.net", Port: 25, Preference: 65535},
		{Name: "spare.example.org", Port: 25, Preference: 65537},
	}
	if problem != nil {
		t.Fatal(problem)
	}
	if diff := cmp.Diff(want, got, compareAddrs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, problem = Hosts(p, "example.net", Answer{Event: spec.NoDomain}, nil); got != nil || problem.Event != spec.NoDomain {
		t.Errorf("after NXDOMAIN: %v, %v; want no hosts", got, problem)
	}
}

func TestABackupHostAsksNoFallback(t *testing.T) {
	p := spec.Policy{Hostname: "relay.example.org", Port: 25, Fallback: []string{"spare.example.org"}}
	got, problem := Hosts(p, "example.net", Answer{MX: []MX{{"mx1.example.net", 10}, {"Relay.example.org.", 20}}}, nil)
	want := []Host{{Name: "mx1.example.net", Port: 25, Preference: 10}}
	if diff := cmp.Diff(want, got, compareAddrs); problem != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", problem, diff)
	}
}

func TestBadConfigurationIsAProblemAndNoFailure(t *testing.T) {
	for _, p := range []spec.Policy{{Relays: []string{"a b"}}, {Fallback: []string{"a b"}}} {
		got, problem := Hosts(p, "example.net", Answer{}, nil)
		if got != nil || problem == nil || problem.Event != spec.DNSTrouble {
			t.Errorf("%v: got %v, %v", p, got, problem)
		}
	}
}

func TestRelayHosts(t *testing.T) {
	v4, v6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	tests := []struct {
		entry string
		want  Host
		err   string
	}{
		{entry: "Relay.Example.NET.", want: Host{Name: "relay.example.net", Port: 25}},
		{entry: "relay.example.net:587", want: Host{Name: "relay.example.net", Port: 587}},
		{entry: "relay", want: Host{Name: "relay", Port: 25}},
		{entry: "192.0.2.1", want: Host{Name: "[192.0.2.1]", Port: 25, Addr: v4}},
		{entry: "192.0.2.1:26", want: Host{Name: "[192.0.2.1]", Port: 26, Addr: v4}},
		{entry: "[192.0.2.1]:2525", want: Host{Name: "[192.0.2.1]", Port: 2525, Addr: v4}},
		{entry: "[2001:DB8::1]:2525", want: Host{Name: "[ipv6:2001:db8::1]", Port: 2525, Addr: v6}},
		{entry: "[IPv6:2001:db8::1]", want: Host{Name: "[ipv6:2001:db8::1]", Port: 25, Addr: v6}},
		{entry: "", err: "label"},
		{entry: "a b", err: "character"},
		{entry: "relay.example.net:", err: "port"},
		{entry: "relay.example.net:0", err: "port"},
		{entry: "relay.example.net:65536", err: "port"},
		{entry: "relay.example.net:smtp", err: "port"},
		{entry: "2001:db8::1", err: "brackets"},
		{entry: "[2001:db8::1", err: "closing bracket"},
		{entry: "[192.0.2.1]2525", err: "colon"},
		{entry: "[192.0.2.1]:25:26", err: "colon"},
		{entry: "[relay.example.net]", err: "not an address"},
		{entry: "[fe80::1%eth0]", err: "not an address"},
		{entry: "0.0.0.0", err: "not the address of a host"},
		{entry: strings.Repeat("a", 64) + ".net", err: "label"},
		{entry: strings.Repeat("a.", 130), err: "253"},
	}
	for _, tt := range tests {
		t.Run(tt.entry, func(t *testing.T) {
			got, err := RelayHosts([]string{tt.entry}, 25)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("got %v, %v; want an error about %q", got, err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]Host{tt.want}, got, compareAddrs); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRelayHostsKeepsOrderAndDropsRepetitions(t *testing.T) {
	got, err := RelayHosts([]string{"b.net", "a.net", "B.net:25", "b.net:26"}, 25)
	if err != nil {
		t.Fatal(err)
	}
	want := []Host{{Name: "b.net", Port: 25}, {Name: "a.net", Port: 25, Preference: 1}, {Name: "b.net", Port: 26, Preference: 3}}
	if diff := cmp.Diff(want, got, compareAddrs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestARouteTakesTheMailOfItsDomain(t *testing.T) {
	p := spec.Policy{
		Hostname: own, Relays: []string{"smart.net"}, Fallback: []string{"last.net"}, Port: 25,
		Routes: map[string][]string{"example.net": {"b.net:2525", "[192.0.2.1]", "a.net"}},
	}
	got, problem := Hosts(p, "example.net", Answer{Event: spec.NoDomain, MX: []MX{{"mx.example.net.", 1}}}, nil)
	want := []Host{
		{Name: "b.net", Port: 2525}, {Name: "[192.0.2.1]", Port: 25, Preference: 1, Addr: netip.MustParseAddr("192.0.2.1")},
		{Name: "a.net", Port: 25, Preference: 2}, {Name: "last.net", Port: 25, Preference: fallbackPreference},
	}
	if diff := cmp.Diff(want, got, compareAddrs); diff != "" || problem != nil {
		t.Errorf("%v (-want +got):\n%s", problem, diff)
	}
}

func TestEveryOwnNameCuts(t *testing.T) {
	p := spec.Policy{Hostname: own, Own: []string{"192.0.2.1", "Alias.example.org"}}
	answer := Answer{MX: []MX{{"a.net.", 5}, {"alias.example.org.", 10}, {"b.net.", 10}}}
	if got, problem := Hosts(p, "example.net", answer, nil); problem != nil || len(got) != 1 || got[0].Name != "a.net" {
		t.Errorf("%v, %v", got, problem)
	}
	if _, problem := Hosts(p, "alias.example.org", Answer{}, nil); problem == nil || problem.Event != spec.Loop {
		t.Errorf("%v", problem)
	}
}
