package route

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postonce/postonce/spec"
)

const own = "relay.example.org"

// drawMX draws lists with many equal preferences, repetitions, and now and
// then our own name, null and unusable records.
func drawMX(t *rapid.T) []MX {
	name := rapid.OneOf(
		rapid.Map(rapid.IntRange(0, 150), func(i int) string { return fmt.Sprintf("MX%d.example.net.", i) }),
		rapid.SampledFrom([]string{own + ".", "Relay.Example.Org", ".", "192.0.2.1.", "a..b.", `\000.`}),
	)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) MX {
		return MX{Host: name.Draw(t, "host"), Preference: rapid.Uint16Range(0, 4).Draw(t, "preference")}
	}), 0, 200).Draw(t, "mx")
}

func route(records []MX, seed uint64) ([]Host, *Problem) {
	p := spec.Policy{Hostname: own, Port: 25}
	return Hosts(p, "example.net", Answer{MX: records}, rand.New(rand.NewPCG(seed, 0)))
}

func TestOrderIsByPreferenceAndNeverPastOurselves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := drawMX(t)
		hosts, problem := route(records, rapid.Uint64().Draw(t, "seed"))
		if (problem == nil) != (len(hosts) > 0) {
			t.Fatalf("hosts %v and problem %v", hosts, problem)
		}
		if len(hosts) > MaxHosts {
			t.Fatalf("%d hosts", len(hosts))
		}
		limit := 1 << 16
		for _, r := range records {
			if canonical(r.Host) == own {
				limit = min(limit, int(r.Preference))
			}
		}
		seen := map[string]bool{}
		for i, h := range hosts {
			if i > 0 && h.Preference < hosts[i-1].Preference {
				t.Fatalf("preference falls: %v", hosts)
			}
			if h.Preference >= limit {
				t.Fatalf("%v is no better than ourselves at %d", h, limit)
			}
			if seen[h.Name] {
				t.Fatalf("%v twice", h)
			}
			seen[h.Name] = true
			best := slices.ContainsFunc(records, func(r MX) bool { return canonical(r.Host) == h.Name && int(r.Preference) == h.Preference })
			better := slices.ContainsFunc(records, func(r MX) bool { return canonical(r.Host) == h.Name && int(r.Preference) < h.Preference })
			if h.Name != "example.net" && (!best || better) {
				t.Fatalf("%v is not at its best preference in %v", h, records)
			}
		}
	})
}

func TestShuffleOnlyPermutesEqualPreferences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := drawMX(t)
		if len(records) > MaxHosts {
			records = records[:MaxHosts] // beyond the cap, shuffles keep different hosts
		}
		a, _ := route(records, rapid.Uint64().Draw(t, "seed a"))
		b, _ := route(records, rapid.Uint64().Draw(t, "seed b"))
		byName := func(hosts []Host) map[string]int {
			m := map[string]int{}
			for _, h := range hosts {
				m[h.Name] = h.Preference
			}
			return m
		}
		if diff := cmp.Diff(byName(a), byName(b)); diff != "" {
			t.Fatalf("seeds chose different hosts:\n%s", diff)
		}
	})
}

func TestTheSameSeedGivesTheSameListWhateverTheOrderOfRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := drawMX(t)
		seed := rapid.Uint64().Draw(t, "seed")
		a, _ := route(records, seed)
		other := rapid.Permutation(records).Draw(t, "order")
		b, _ := route(other, seed)
		if diff := cmp.Diff(a, b, compareAddrs); diff != "" {
			t.Fatalf("(-a +b):\n%s", diff)
		}
	})
}

func TestShuffleSpreadsTheLoad(t *testing.T) {
	records := []MX{{"a.net", 10}, {"b.net", 10}, {"c.net", 10}}
	first := map[string]int{}
	for seed := range uint64(300) {
		hosts, _ := route(records, seed)
		first[hosts[0].Name]++
	}
	for _, r := range records {
		if n := first[r.Host]; n < 60 {
			t.Errorf("%s came first %d times of 300", r.Host, n)
		}
	}
}

func TestTheCapKeepsTheBestPreferences(t *testing.T) {
	var records []MX
	for i := range 3 * MaxHosts {
		records = append(records, MX{Host: fmt.Sprintf("mx%d.net", i), Preference: uint16(3*MaxHosts - i)})
	}
	hosts, _ := route(records, 1)
	if len(hosts) != MaxHosts || hosts[0].Preference != 1 || hosts[MaxHosts-1].Preference != MaxHosts {
		t.Errorf("%d hosts from %d to %d", len(hosts), hosts[0].Preference, hosts[len(hosts)-1].Preference)
	}
}

func FuzzHosts(f *testing.F) {
	f.Add("example.net", "mx.example.net.", uint16(10), "relay.example.net:587")
	f.Add("[IPv6:::1]", ".", uint16(0), "[::1]:25")
	f.Add("[192.0.2.1]", "192.0.2.1", uint16(0), "::1")
	f.Fuzz(func(t *testing.T, dest, mx string, preference uint16, relay string) {
		for _, p := range []spec.Policy{{Hostname: own}, {Relays: []string{relay}}, {Fallback: []string{relay}}} {
			hosts, problem := Hosts(p, dest, Answer{MX: []MX{{mx, preference}}}, nil)
			if (problem == nil) != (len(hosts) > 0) {
				t.Fatalf("hosts %v and problem %v", hosts, problem)
			}
			for _, h := range hosts {
				if h.Port == 0 || h.Name == "" {
					t.Fatalf("host %+v", h)
				}
			}
		}
	})
}
