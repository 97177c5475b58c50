package wire

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/spec"
)

func TestParseEHLOReadsWhatIsOffered(t *testing.T) {
	got := ParseEHLO(spec.Reply{Code: 250, Lines: []string{
		"mx.example.net PIPELINING", "size 1000", "8bitmime", "Enhancedstatuscodes", "", "XFOO PIPELINING", "StartTLS", "AUTH PLAIN LOGIN",
	}})
	want := Extensions{
		Size: true, SizeLimit: 1000, EightBitMIME: true, EnhancedStatusCodes: true, STARTTLS: true, Auth: []string{"PLAIN", "LOGIN"},
		Offered: []Extension{
			{"SIZE", []string{"1000"}}, {"8BITMIME", []string{}}, {"ENHANCEDSTATUSCODES", []string{}},
			{"XFOO", []string{"PIPELINING"}}, {"STARTTLS", []string{}}, {"AUTH", []string{"PLAIN", "LOGIN"}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseEHLOPipeliningIsTheFirstWordOfALine(t *testing.T) {
	for line, want := range map[string]bool{
		"PIPELINING": true, "pipelining": true, "PIPELINING x": true, " PIPELINING": true,
		"XPIPELINING": false, "PIPELININGX": false, "X-PIPELINING": false, "HELP PIPELINING": false, "PIPELINING=1": false,
	} {
		if got := ParseEHLO(spec.Reply{Code: 250, Lines: []string{"mx", line}}).Pipelining; got != want {
			t.Errorf("%q: offered %v, want %v", line, got, want)
		}
	}
}

func TestParseEHLOSizeLimit(t *testing.T) {
	for line, want := range map[string]int64{
		"SIZE": 0, "SIZE 0": 0, "SIZE 1": 1, "SIZE 999999999999999999": 999999999999999999,
		"SIZE 99999999999999999999": 0, "SIZE x": 0, "SIZE -1": 0, "SIZE 1k": 0, "SIZE=100": 0,
	} {
		got := ParseEHLO(spec.Reply{Code: 250, Lines: []string{"mx", line}})
		if got.SizeLimit != want {
			t.Errorf("%q: limit %d, want %d", line, got.SizeLimit, want)
		}
	}
	twice := ParseEHLO(spec.Reply{Code: 250, Lines: []string{"mx", "SIZE 7", "SIZE 9"}})
	if twice.SizeLimit != 7 {
		t.Errorf("of two SIZE lines %d was taken, want the first", twice.SizeLimit)
	}
}

func TestParseEHLOOffersNothingAfterARefusal(t *testing.T) {
	if e := ParseEHLO(spec.Reply{Code: 502, Lines: []string{"no", "PIPELINING"}}); e.Pipelining {
		t.Error("a refusal offered pipelining")
	}
}

func FuzzParseEHLO(f *testing.F) {
	f.Add("mx\nPIPELINING\nSIZE 10")
	f.Add("mx\nSIZE 99999999999999999999\n \nAUTH=LOGIN")
	f.Fuzz(func(t *testing.T, text string) {
		e := ParseEHLO(spec.Reply{Code: 250, Lines: strings.Split(text, "\n")})
		if e.SizeLimit < 0 || e.SizeLimit > 0 && !e.Size {
			t.Fatalf("impossible size limit %+v", e)
		}
		for _, x := range e.Offered {
			if x.Keyword == "" || len(strings.Fields(x.Keyword)) != 1 {
				t.Fatalf("impossible keyword %q", x.Keyword)
			}
		}
	})
}
