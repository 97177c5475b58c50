package fakesmtp

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/spec"
)

const chunking = "offer CHUNKING, PIPELINING\n"

// bdat is a chunk as it is sent.
func bdat(text, last string) string { return fmt.Sprintf("BDAT %d%s\r\n%s", len(text), last, text) }

// said sends text as it is and demands a reply.
func (k *talk) said(text, want string) {
	k.t.Helper()
	k.send(text)
	k.read(want)
}

func (k *talk) recipients(to ...string) {
	k.t.Helper()
	k.do("MAIL FROM:<alice@example.org>")
	for _, r := range to {
		k.do("RCPT TO:<" + r + ">")
	}
}

func TestChunksMakeTheMessageThatDATAWouldMake(t *testing.T) {
	const text = content + ".a\r\n.\r\n..\r\nb\r\n"
	for size := 1; size <= len(text); size++ {
		inWorld(t, chunking, func(w *world) {
			k := w.connect().greet()
			k.recipients("bob@example.net")
			rest := text
			for len(rest) > size {
				k.said(bdat(rest[:size], ""), fmt.Sprintf("250 %d octets", size))
				rest = rest[size:]
			}
			k.said(bdat(rest, " last"), "250 Accepted")
			k.do("QUIT = 221")
			w.check("0s accepted m1@example.org bob@example.net", "0s replied m1@example.org bob@example.net")
			if got := w.Accepted(); len(got) != 1 || string(got[0].Content) != text || got[0].Hash != contentHash(text) {
				t.Errorf("in chunks of %d: %+v", size, got)
			}
		})
	}
}

func TestAMessageMayEndWithAnEmptyChunk(t *testing.T) {
	inWorld(t, chunking, func(w *world) {
		k := w.connect().greet()
		k.recipients("bob@example.net")
		k.send(bdat(content, "") + "BDAT 0 LAST\r\n" + "MAIL FROM:<alice@example.org>\r\nRCPT TO:<bob@example.net>\r\nRSET\r\n")
		for range 5 {
			k.read("250")
		}
		w.check("0s accepted m1@example.org bob@example.net", "0s replied m1@example.org bob@example.net")
	})
}

func TestRulesMeetChunks(t *testing.T) {
	const id = "m1@example.org bob@example.net"
	half := bdat(content[:20], "")
	whole := bdat(content[20:], " LAST")
	for _, test := range []struct {
		rule string
		// pieces are sent one by one; replies are all that is read.
		pieces  []string
		replies string
		facts   []string
	}{
		{"at bdat: 452 4.3.1 No room", []string{half, whole, "RSET\r\n"}, "452 4.3.1 No room|503 RSET first|250 Forgotten", nil},
		{"at bdat <bob@*>, nth 2: 554 5.6.0 Enough", []string{half, half, whole}, "250 20 octets received|554 5.6.0 Enough|503 RSET first", nil},
		{"at bdat: cut", []string{half}, "", nil},
		{"at dot: 554 No", []string{half, whole}, "250 20 octets received|554 No", nil},
		{"at dot: lose", []string{half, whole}, "250 20 octets received", []string{"accepted " + id}},
		{"at body: cut after 10", []string{half}, "", nil},
		{"at body: cut after 30", []string{half, whole}, "250 20 octets received", nil},
		{"at body: cut after 3000", []string{half, whole}, "250 20 octets received", nil},
		// An early reply is that to the chunk in which it is given.
		{"at body: 250 Fine", []string{half, whole}, "250 Fine|250 Accepted", []string{"accepted " + id, "replied " + id}},
		{"at body: 250 Fine", []string{bdat(content, " LAST")}, "250 Fine", []string{"accepted " + id, "replied " + id}},
		{"at body: 451 Later", []string{half, whole}, "451 Later|503 RSET first", nil},
		{"at body: silence", []string{half}, "", nil},
	} {
		t.Run(test.rule, func(t *testing.T) {
			inWorld(t, chunking+test.rule, func(w *world) {
				k := w.connect().greet()
				k.recipients("bob@example.net")
				var read strings.Builder
				go k.in.WriteTo(&read)
				for _, p := range test.pieces {
					if _, err := k.conn.Write([]byte(p)); err != nil {
						break // the server has cut
					}
					time.Sleep(time.Minute)
				}
				k.conn.Close()
				synctest.Wait()
				got := strings.ReplaceAll(strings.TrimSuffix(read.String(), "\r\n"), "\r\n", "|")
				if got != test.replies {
					t.Errorf("read %q, want %q", got, test.replies)
				}
				var facts []string
				for _, f := range w.told(spec.FactAccepted, spec.FactReplied, spec.FactUnlawful) {
					_, f, _ = strings.Cut(f, " ")
					facts = append(facts, f)
				}
				if d := cmp.Diff(test.facts, facts); d != "" {
					t.Errorf("facts (-want +got):\n%s", d)
				}
			})
		})
	}
}

func TestUnlawfulChunks(t *testing.T) {
	const (
		ehlo = "EHLO client.example\r\n"
		mail = "MAIL FROM:<alice@example.org>\r\n"
		rcpt = "RCPT TO:<bob@example.net>\r\n"
		one  = "offer CHUNKING"
		lim  = "offer LIMITS "
	)
	chunk, last := bdat("a\r\n", ""), bdat("a\r\n", " LAST")
	for _, test := range []struct {
		name, script string
		pieces       []string
		want         string
	}{
		{"one chunk", one, []string{ehlo, mail, rcpt, last, "QUIT\r\n"}, ""},
		{"chunks in a pipeline", chunking, []string{ehlo, mail + rcpt + chunk + chunk + last + mail + rcpt + last, "QUIT\r\n"}, ""},
		{"chunks in a pipeline for nobody", chunking + "at rcpt: 550 no", []string{ehlo, mail + rcpt + chunk + last}, ""},
		{"chunks in a pipeline after a refused MAIL", chunking + "at mail: 550 no", []string{ehlo, mail + rcpt + chunk + last}, ""},
		{"chunks in a pipeline after a refused one", chunking + "at bdat: 452 no", []string{ehlo, mail + rcpt + chunk + chunk + last}, ""},
		{"not offered", "", []string{ehlo, mail, rcpt, last, "QUIT\r\n"}, "CHUNKING was not offered"},
		{"in a pipeline that was not offered", one, []string{ehlo, mail, rcpt, chunk + last}, "reply to BDAT, though PIPELINING"},
		{"for nobody", one + "\nat rcpt: 550 no", []string{ehlo, mail, rcpt, last}, "BDAT though every recipient"},
		{"after a refused MAIL", one + "\nat mail: 550 no", []string{ehlo, mail, last}, "BDAT though MAIL was refused"},
		{"after a refused chunk", one + "\nat bdat: 550 no", []string{ehlo, mail, rcpt, chunk, last}, "BDAT after one that was refused"},
		{"before MAIL", one, []string{ehlo, last}, "BDAT without MAIL"},
		{"after the last", one, []string{ehlo, mail, rcpt, last, last}, "BDAT without MAIL"},
		{"before RCPT", one, []string{ehlo, mail, last}, "BDAT without RCPT"},
		{"DATA after it", chunking, []string{ehlo, mail, rcpt, chunk, "DATA\r\n"}, "DATA after BDAT"},
		{"DATA after a refused one", chunking + "at bdat: 550 no", []string{ehlo, mail, rcpt, chunk, "DATA\r\n"}, "DATA after BDAT"},
		{"after a refused DATA", chunking + "at data: 451 no", []string{ehlo, mail, rcpt, "DATA\r\n", last}, "BDAT after DATA"},
		{"DATA after RSET", chunking + "at bdat: 550 no", []string{ehlo, mail, rcpt, chunk, "RSET\r\n", mail, rcpt, "DATA\r\n", "a\r\n.\r\n"}, ""},
		{"no size", chunking, []string{ehlo, mail, rcpt, "BDAT\r\n"}, "size of the chunk is no number"},
		{"a size below 0", chunking, []string{ehlo, mail, rcpt, "BDAT -1\r\n"}, "size of the chunk is no number"},
		{"more than LAST", chunking, []string{ehlo, mail, rcpt, "BDAT 0 LAST x\r\n"}, "not LAST"},
		{"a size too small", chunking, []string{ehlo, mail, rcpt, "BDAT 3 LAST\r\na\r\nb\r\n"}, `"B" is no command`},
		{"a size too large", chunking, []string{ehlo, mail, rcpt, "BDAT 7 LAST\r\na\r\n", "QUIT"}, "does not end with CRLF"},
		{"a doubled dot is no concern", chunking, []string{ehlo, mail, rcpt, bdat(".\r\n.x\r\n..\r\n", " LAST")}, ""},
		{"a line of 1001 that begins with a dot", chunking, []string{ehlo, mail, rcpt, bdat("."+strings.Repeat("x", 998)+"\r\n", " LAST")}, "longer than 1000"},
		{"bare LF", chunking, []string{ehlo, mail, rcpt, bdat("a\nb\r\n", " LAST")}, "bare LF"},
		{"CR and LF in two chunks", one, []string{ehlo, mail, rcpt, bdat("a\r", ""), bdat("\n", " LAST")}, ""},
		{"bare CR in two chunks", one, []string{ehlo, mail, rcpt, bdat("a\r", ""), bdat("b\r\n", " LAST")}, "bare CR"},
		{"MAIL within", chunking, []string{ehlo, mail, rcpt, chunk, mail}, "MAIL within"},

		{"as many as RCPTMAX", lim + "RCPTMAX=2", []string{ehlo, mail, rcpt, rcpt, "RSET\r\n", mail, rcpt, rcpt}, ""},
		{"more than RCPTMAX", lim + "RCPTMAX=2", []string{ehlo, mail, rcpt, rcpt, rcpt}, "RCPT number 3 in a transaction, though RCPTMAX is 2"},
		{"more than MAILMAX", lim + "MAILMAX=1", []string{ehlo, mail, "RSET\r\n", mail}, "MAIL number 2 in a connection, though MAILMAX is 1"},
		{"more than RCPTDOMAINMAX", lim + "RCPTDOMAINMAX=1", []string{ehlo, mail, rcpt, rcpt, "RCPT TO:<x@y>\r\n"}, "domain number 2 in a connection"},
		{"a limit that is none", `offer "LIMITS RCPTMAX=0 MAILMAX=01"`, []string{ehlo, mail, rcpt, "RSET\r\n", mail}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, test.script, func(w *world) {
				k := w.connect()
				go k.in.WriteTo(discard{})
				synctest.Wait()
				for _, p := range test.pieces {
					k.send(p)
					time.Sleep(time.Minute)
				}
				k.conn.Close()
				synctest.Wait()
				got := strings.Join(w.told(spec.FactUnlawful), "\n")
				if strings.Count(got, "unlawful") > 1 || !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
					t.Errorf("unlawful:\n%s\nwant %q", got, test.want)
				}
			})
		})
	}
}

func TestWhatIsMoreThanALimitIsRefusedForNow(t *testing.T) {
	inWorld(t, "offer LIMITS RCPTMAX=1 MAILMAX=1", func(w *world) {
		k := w.connect().greet()
		k.do("MAIL FROM:<a@b>", "RCPT TO:<bob@example.net>", "RCPT TO:<carol@example.net> = 452", "RSET", "MAIL FROM:<a@b> = 452")
	})
}
