package scenarios

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// needing is a story with header lines and sections of its own.
func needing(t *testing.T, header, dns, more, plan string) ([]byte, *Scenario, error) {
	t.Helper()
	text := []byte("# It holds.\n" + header + "-- dns --\n" + dns + more +
		"-- plan --\nt+0 submit m1 from alice@example.org to bob@example.net\n" + plan + "-- expect --\nbob@example.net anything\n")
	s, err := Parse("f", text)
	return text, s, err
}

const (
	stsDNS  = "mta-sts.example.net. A 192.0.2.80\n_mta-sts.example.net. TXT \"v=STSv1; id=1\"\n"
	stsText = "-- policy mta-sts.example.net --\nversion: STSv1\nmode: enforce\nmx: *.example.net\nmx: mx.example.com\nmax_age: 86400\n"
)

func TestWhatTheRelayDoesNotHaveYetIsReadAndWritten(t *testing.T) {
	for _, c := range []struct{ need, dns, more, plan string }{
		{"dane", "_25._tcp.mx.example.net. TLSA 3 1 1 00ff, ttl 1m\n", "", ""},
		{"dane", "example.net. SIGNED\n_25._tcp.mx.example.net. TLSA 2 0 1 trusted\n", "", ""},
		{"dane", "_25._tcp.mx.example.net. TLSA SERVFAIL, first 2\n", "", ""},
		{"mta-sts", stsDNS, stsText, ""},
		{"mta-sts", stsDNS, "-- policy mta-sts.example.net --\nfetch redirect\n", ""},
		{"mta-sts", "mta-sts.example.net. A 192.0.2.80\n_mta-sts.example.net. TXT SERVFAIL\n", stsText, ""},
		{"shared-spool", "", "", "t+1m join other.example\n"},
	} {
		_, s, err := needing(t, "needs: "+c.need+"\n", c.dns, c.more, c.plan)
		if err != nil {
			t.Errorf("%s: %v", c.need, err)
			continue
		}
		if !slices.Equal(s.NotYet(), []string{c.need}) {
			t.Errorf("%s waits for %v", c.need, s.NotYet())
		}
		once := Format(s)
		again, err := Parse("f", once)
		if err != nil {
			t.Errorf("%v in\n%s", err, once)
			continue
		}
		if d := cmp.Diff(string(once), string(Format(again))); d != "" {
			t.Error(d)
		}
	}
}

func TestWhatTheRelayDoesNotHaveYetIsRefusedAtItsSpot(t *testing.T) {
	for _, c := range []struct{ name, header, dns, more, plan, place, reason string }{
		{"no TLSA", "needs: dane\n", "", "", "", ":2:8:", "no TLSA record"},
		{"no TXT", "needs: mta-sts\n", "mta-sts.example.net. A 192.0.2.80\n", stsText, "", ":2:8:", "_mta-sts.DOMAIN"},
		{"no policy", "needs: mta-sts\n", stsDNS, "", "", ":2:8:", "-- policy"},
		{"no join", "needs: shared-spool\n", "", "", "", ":2:8:", "no step is a join"},
		{"dane not said", "", "example.net. SIGNED\n", "", "", ":3:14:", "needs: dane"},
		{"mta-sts not said", "", stsDNS, stsText, "", ":5:", "needs: mta-sts"},
		{"shared spool not said", "", "", "", "t+0 join b.example\n", ":5:5:", "needs: shared-spool"},
		{"TLSA without a port", "", "mx.example.net. TLSA 3 1 1 00\n", "", "", ":3:1:", "_25._tcp."},
		{"TLSA with odd data", "", "_25._tcp.mx.example.net. TLSA 3 1 1 0g\n", "", "", ":3:37:", "hexadecimal"},
		{"TLSA with a huge selector", "", "_25._tcp.mx.example.net. TLSA 3 256 1 00\n", "", "", ":3:33:", "at most 255"},
		{"SIGNED with a TTL", "", "example.net. SIGNED, ttl 5m\n", "", "", ":3:20:", "not expected"},
		{"policy at another host", "", "", "-- policy example.net --\nmode: none\n", "", ":3:", "3.2"},
		{"policy with an unknown mode", "", "", "-- policy mta-sts.example.net --\nmode: enforced\n", "", ":4:7:", `did you mean "enforce"`},
		{"policy for too long", "", "", "-- policy mta-sts.example.net --\nmax_age: 31557601\n", "", ":4:10:", "at most"},
		{"policy with two stars", "", "", "-- policy mta-sts.example.net --\nmx: *.*.net\n", "", ":4:5:", "no host"},
		{"policy and trouble", "", "", "-- policy mta-sts.example.net --\nmode: none\nfetch silent\n", "", ":5:1:", "stands alone"},
		{"policy that is empty", "", "", "-- policy mta-sts.example.net --\n", "", ":3:", "is empty"},
		{"policy of nobody", "needs: mta-sts\n", "_mta-sts.example.net. TXT \"v=STSv1; id=1\"\n", stsText, "", ":5:", "not in the dns section"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, _, _ := needing(t, c.header, c.dns, c.more, c.plan)
			wantRefused(t, text, c.place, c.reason)
		})
	}
}
