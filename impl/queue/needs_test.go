package queue

import (
	"strings"
	"testing"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A report needs SMTPUTF8 where its reader does (RFC 6533), REQUIRETLS where the
// message did, and gives of such a one the header alone (RFC 8689 section 5).
func TestAReportNeedsWhatItsReaderAndItsMessageDo(t *testing.T) {
	for _, tt := range []struct {
		name, sender string
		needs, want  spec.Needs
		whole        bool
	}{
		{"plain", "s@home.test", 0, 0, true},
		{"a header in UTF-8 is shown in ASCII", "s@home.test", spec.NeedUTF8, 0, true},
		{"a sender in UTF-8", "ö@home.test", 0, spec.NeedUTF8, true},
		{"REQUIRETLS", "s@home.test", spec.NeedTLS, spec.NeedTLS, false},
		{"both", "ö@home.test", spec.NeedTLS, spec.NeedTLS | spec.NeedUTF8, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := started(t, nil)
			content := "Subject: x\r\n\r\nsecret\r\n"
			r.do(Submit{ID: "m1", Message: "m1", Size: int64(len(content)),
				Envelope: spec.Envelope{
					Sender: tt.sender, Recipients: []string{"a@x.test"}, Needs: tt.needs, Tracking: spec.Tracking{Return: spec.ReturnFull},
				},
				Ops: []seam.Op{{Key: seam.ChunkKey("m1", 0), Value: []byte(content)}}})
			r.flush()
			b := r.begun()
			if b.Needs != tt.needs {
				t.Errorf("the delivery needs %v, want %v", b.Needs, tt.needs)
			}
			id := r.freshID()
			r.do(Settle{Job: b.Job, Last: true, Fresh: id, Header: []byte(content), Whole: true,
				Results: []Result{{Recipient: "a@x.test", Verdict: spec.FailRecipient}}})
			r.flush()
			report := r.entry(id)
			if report == nil {
				t.Fatal("there is no report")
			}
			if report.Needs != tt.want || report.Body8Bit != tt.want.Has(spec.NeedUTF8) {
				t.Errorf("the report needs %v and is 8-bit: %v; want %v", report.Needs.Keywords(), report.Body8Bit, tt.want.Keywords())
			}
			if got := strings.Contains(string(r.disk[seam.ChunkKey(id, 0)]), "secret"); got != tt.whole {
				t.Errorf("it gives the message back: %v, want %v", got, tt.whole)
			}
		})
	}
}
