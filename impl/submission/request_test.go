package submission

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/spec"
)

// TestWhatASenderWantsToBeToldIsTaken: RFC 3461 section 4.
func TestWhatASenderWantsToBeToldIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		c := r.hello()
		c.say("MAIL FROM:<alice@example.org> SIZE=100 ret=full ENVID=QQ+20314+2B15+3D9", "250 ")
		c.say("RCPT TO:<bob@example.net> NOTIFY=SUCCESS,delay ORCPT=rfc822;Bob+2Bx@example.com", "250 ")
		c.say("RCPT TO:<carol@example.net>", "250 ")
		c.say("RCPT TO:<bob@EXAMPLE.NET> NOTIFY=NEVER", "250 ")
		c.say(`RCPT TO:<"a> NOTIFY=NEVER"@example.net> NOTIFY=FAILURE`, "250 ")
		c.say("DATA", "354 ")
		c.send(hello + ".\r\n")
		c.expect("250 ")
		c.mail(hello, "250 ")
		taken := r.queue.taken()
		want := spec.Envelope{
			Sender:     "alice@example.org",
			Recipients: []string{"bob@example.net", "carol@example.net", `"a> NOTIFY=NEVER"@example.net`},
			Tracking:   spec.Tracking{Return: spec.ReturnFull, EnvelopeID: "QQ 314+15=9"},
			Asked: []spec.Asked{
				{Notify: spec.NotifySuccess | spec.NotifyDelay, Original: "rfc822;Bob+x@example.com"}, {}, {Notify: spec.NotifyFailure},
			},
		}
		if d := cmp.Diff(want, taken[0].Envelope); d != "" {
			t.Error(d)
		}
		if e := taken[1].Envelope; e.Asked != nil || e.Tracking != (spec.Tracking{}) {
			t.Errorf("the next message has what was asked for about the one before: %+v", e)
		}
		c.close()
		r.shutdown()
	})
}

func TestParametersThatAreWrongAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		c := r.hello()
		for _, step := range []struct{ line, want string }{
			{"MAIL FROM:<a@example.org> RET=SOME", "501 5.5.4 RET is FULL or HDRS"},
			{"MAIL FROM:<a@example.org> RET", "501 5.5.4 "},
			{"MAIL FROM:<a@example.org> RET=FULL RET=FULL", "501 5.5.4 RET stands twice"},
			{"MAIL FROM:<a@example.org> ENVID=", "501 5.5.4 ENVID is empty"},
			{"MAIL FROM:<a@example.org> ENVID=a+0D+0ARSET", "501 5.5.4 ENVID has a character"},
			{"MAIL FROM:<a@example.org> ENVID=a+2", "501 5.5.4 two hexadecimal digits"},
			{"MAIL FROM:<a@example.org> ENVID=" + strings.Repeat("x", 101), "501 5.5.4 ENVID is longer"},
			{"MAIL FROM:<a@example.org> NOTIFY=NEVER", "501 5.5.4 NOTIFY is a parameter of RCPT"},
			{"MAIL FROM:<a@example.org>", "250 "},
			{"RCPT TO:<b@example.net> NOTIFY=NEVER,DELAY", "501 5.5.4 NOTIFY=NEVER stands alone"},
			{"RCPT TO:<b@example.net> NOTIFY=", "501 5.5.4 NOTIFY is NEVER, or some of"},
			{"RCPT TO:<b@example.net> NOTIFY=DELAY NOTIFY=DELAY", "501 5.5.4 NOTIFY stands twice"},
			{"RCPT TO:<b@example.net> ORCPT=bob@example.net", "501 5.5.4 ORCPT is an address type"},
			{"RCPT TO:<b@example.net> ORCPT=rfc822;" + strings.Repeat("x", 494), "501 5.5.4 ORCPT is longer"},
			{"RCPT TO:<b@example.net> RET=FULL", "501 5.5.4 RET is a parameter of MAIL"},
			{"RCPT TO:<b@example.net> ORCPT=rfc822;" + strings.Repeat("x", 493), "250 "},
		} {
			c.say(step.line, step.want)
		}
		c.close()
		r.shutdown()
	})
}

// FuzzTakeRequest: whatever a client says, what is taken can be sent on, and
// nothing of it is left for go-smtp to read in another way.
func FuzzTakeRequest(f *testing.F) {
	f.Add("MAIL FROM:<a@b> RET=FULL ENVID=x+20y SIZE=9")
	f.Add(`RCPT TO:<"a> NOTIFY=NEVER"@b> notify=success,delay ORCPT=rfc822;c+2B@d`)
	f.Add("RCPT TO:<a@b> NOTIFY=NEVER NOTIFY=NEVER")
	f.Fuzz(func(t *testing.T, line string) {
		left, r, refusal := takeRequest(line + "\r\n")
		if refusal != nil {
			if refusal.Reply.Code != 501 || strings.ContainsAny(refusal.Error(), "\r\n") {
				t.Fatalf("%q is refused with %q", line, refusal.Error())
			}
			return
		}
		if err := r.tracking.Validate(); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if err := r.asked.Validate(); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		again, none, refusal := takeRequest(left)
		none.quoted = false // what is left has the path
		if refusal != nil || none != (request{}) || again != left {
			t.Fatalf("%q leaves %q, of which %+v is taken", line, left, none)
		}
	})
}
