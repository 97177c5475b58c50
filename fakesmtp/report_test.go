package fakesmtp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/spec"
)

const report = `From: <MAILER-DAEMON@relay.example>
To: alice@example.org
Message-ID: <r1@relay.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
 boundary="=_b"

--=_b
Content-Type: text/plain

It did not work.
--=_b
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example

Final-Recipient: rfc822; bob@example.net
Action: failed
Status: 5.1.1

Original-Recipient: rfc822;x@example.net
Final-Recipient: RFC822;carol@example.net
Action: Failed
X-Postonce-State: unknown
Status: 4.4.7

Final-Recipient: rfc822;dave@example.net
Action: delayed
--=_b
Content-Type: text/rfc822-headers

From: alice@example.org
Message-ID: <m1@example.org>
Subject: x
--=_b--
`

func crlf(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }

func TestReportIsSeenPerRecipient(t *testing.T) {
	inWorld(t, "", func(w *world) {
		k := w.connect().greet()
		k.do("MAIL FROM:<>", "RCPT TO:<alice@example.org>", "DATA = 354", crlf(report)+". = 250")
		w.check(
			"0s accepted r1@relay.example alice@example.org",
			"0s report-seen r1@relay.example bob@example.net failed m1@example.org failed",
			"0s report-seen r1@relay.example carol@example.net failed m1@example.org unknown",
			"0s report-seen r1@relay.example dave@example.net delayed m1@example.org",
			"0s replied r1@relay.example alice@example.org",
		)
	})
}

func TestReadReport(t *testing.T) {
	one := []reported{{"bob@example.net", "failed", "m1@example.org", spec.Failed}}
	multipart := func(parts string) string {
		return "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n" + parts + "--b--\n"
	}
	for _, test := range []struct {
		name, text string
		want       []reported
	}{
		{"nothing", "", nil},
		{"plain mail", "Subject: x\n\nfailed\n", nil},
		{"another report", strings.Replace(report, "report-type=delivery-status", "report-type=disposition-notification", 1), nil},
		{"whole message and base64", multipart("--b\nContent-Type: message/rfc822\n\nMessage-ID: <m1@example.org>\n\nHi\n" +
			"--b\nContent-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n" +
			"RmluYWwtUmVjaXBpZW50OiByZmM4MjI7IGJvYkBleGFtcGxlLm5ldA0KQWN0aW9uOiBmYWlsZWQNCg==\n"), one},
		{"without the message", multipart("--b\nContent-Type: message/delivery-status\n\nX: y\n\n" +
			"Final-Recipient: bob@example.net\nAction: failed\n"),
			[]reported{{"bob@example.net", "failed", "", spec.Failed}}},
		{"an address in an encoding", multipart("--b\nContent-Type: message/delivery-status\n\nX: y\n\n" +
			`Final-Recipient: utf-8; j\x{FC}rgen\x{2B}x@example.net` + "\nAction: failed\n"), []reported{{"jürgen+x@example.net", "failed", "", spec.Failed}}},
		{"an address in UTF-8", multipart("--b\nContent-Type: message/global-delivery-status\n\nX: y\n\n" +
			"Final-Recipient: utf-8; jürgen@example.net\nAction: failed\n"), []reported{{"jürgen@example.net", "failed", "", spec.Failed}}},
		{"an address in a broken encoding", multipart("--b\nContent-Type: message/delivery-status\n\nX: y\n\n" +
			`Final-Recipient: utf-8; j\x{FC@example.net` + "\nAction: failed\n"), []reported{{`j\x{FC@example.net`, "failed", "", spec.Failed}}},
		{"torn", multipart("--b\nContent-Type: message/delivery-status\n\nX: y\n\nFinal-Recipient: bob@example.net\nAct"),
			[]reported{{"bob@example.net", "", "", 0}}},
	} {
		if d := cmp.Diff(test.want, readReport([]byte(crlf(test.text))), cmp.AllowUnexported(reported{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, d)
		}
	}
}

func FuzzReadReport(f *testing.F) {
	f.Add([]byte(crlf(report)))
	f.Fuzz(func(t *testing.T, content []byte) {
		if n := len(readReport(content)); n > maxParts*maxRecipients {
			t.Errorf("%d recipients", n)
		}
		messageID(content)
	})
}
