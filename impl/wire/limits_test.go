package wire

import (
	"testing"

	"github.com/postonce/postonce/spec"
)

func TestParseEHLOLimits(t *testing.T) {
	for line, want := range map[string]Limits{ // any order: each is judged by itself
		"LIMITS MAILMAX=10 RCPTMAX=100 RCPTDOMAINMAX=1": {10, 100, 1},
		"limits rcptmax=999999":                         {Recipients: 999999},
		"LIMITS":                                        {},
		"LIMITS RCPTMAX=0":                              {}, // it would mean that nobody gets mail
		"LIMITS RCPTMAX=007":                            {},
		"LIMITS RCPTMAX=1000000":                        {},
		"LIMITS RCPTMAX=-1 MAILMAX=2":                   {Mails: 2},
		"LIMITS RCPTMAX= RCPTMAX RCPTMAX=1k RCPTMAX=5":  {Recipients: 5},
		"LIMITS RCPTMAX=5 RCPTMAX=9":                    {Recipients: 5},
		"LIMITS RCPTMAX=5=6":                            {},
		"LIMITS NEWMAX=3 XRCPTMAX=4 RCPTMAX=５":          {},
		"XLIMITS RCPTMAX=5":                             {},
		"LIMITS=1 RCPTMAX=5":                            {},
	} {
		if got := ParseEHLO(spec.Reply{Code: 250, Lines: []string{"mx", line}}).Limits; got != want {
			t.Errorf("%q: %+v, want %+v", line, got, want)
		}
	}
}

func TestParseEHLOChunkingIsTheFirstWordOfALine(t *testing.T) {
	for line, want := range map[string]bool{ // any order: each is judged by itself
		"CHUNKING": true, "chunking": true, "CHUNKING 1": true, "XCHUNKING": false, "HELP CHUNKING": false, "BINARYMIME": false,
	} {
		if got := ParseEHLO(spec.Reply{Code: 250, Lines: []string{"mx", line}}).Chunking; got != want {
			t.Errorf("%q: %v, want %v", line, got, want)
		}
	}
}

func TestBDATSaysHowMuchFollows(t *testing.T) {
	if got := string(BDAT(1 << 20)); got != "BDAT 1048576\r\n" {
		t.Errorf("%q", got)
	}
}
