package submission

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestParseMailbox(t *testing.T) {
	l64, l65 := strings.Repeat("a", 64), strings.Repeat("a", 65)
	label := strings.Repeat("d", 63)
	for _, c := range []struct {
		in, want string
		err      error
	}{
		{in: "bob@example.net", want: "bob@example.net"},
		{in: "Bob.O'Neil+x@Example.NET", want: "Bob.O'Neil+x@Example.NET"},
		{in: "bob@localhost", want: "bob@localhost"},
		{in: "b@1.2.3", want: "b@1.2.3"},
		{in: `"bob"@example.net`, want: "bob@example.net"},
		{in: `"b\ob"@example.net`, want: "bob@example.net"},
		{in: `"a b"@example.net`, want: `"a b"@example.net`},
		{in: `"a@b"@example.net`, want: `"a@b"@example.net`},
		{in: `"a\"\\b"@example.net`, want: `"a\"\\b"@example.net`},
		{in: `"a..b"@example.net`, want: `"a..b"@example.net`},
		{in: `""@example.net`, want: `""@example.net`},
		{in: "bob@[192.0.2.1]", want: "bob@[192.0.2.1]"},
		{in: "bob@[IPv6:2001:db8::1]", want: "bob@[IPv6:2001:db8::1]"},
		{in: "bob@[ipv6:::1]", want: "bob@[ipv6:::1]"},
		{in: l64 + "@example.net", want: l64 + "@example.net"},
		{in: "b@" + label + ".net", want: "b@" + label + ".net"},

		{in: "", err: errNoAt},
		{in: "bob", err: errNoAt},
		{in: `"bob"`, err: errNoAt},
		{in: `"bob"x@example.net`, err: errNoAt},
		{in: "@example.net", err: errLocal},
		{in: ".bob@example.net", err: errLocal},
		{in: "bob.@example.net", err: errLocal},
		{in: "a..b@example.net", err: errLocal},
		{in: "a b@example.net", err: errLocal},
		{in: "a\x00b@example.net", err: errLocal},
		{in: `a"b@example.net`, err: errLocal},
		{in: `"bob@example.net`, err: errQuoted},
		{in: `"bob\`, err: errQuoted},
		{in: "\"a\rb\"@example.net", err: errLocal},
		{in: "bob@", err: errDomain},
		{in: "bob@example.net.", err: errDomain},
		{in: "bob@.net", err: errDomain},
		{in: "bob@a..b", err: errDomain},
		{in: "bob@-a.net", err: errDomain},
		{in: "bob@a-.net", err: errDomain},
		{in: "bob@a_b.net", err: errDomain},
		{in: "a@b@c", err: errDomain},
		{in: "bob@exam ple.net", err: errDomain},
		{in: "b@" + label + "d.net", err: errDomain},
		{in: "bob@[192.0.2.256]", err: errLiteral},
		{in: "bob@[192.0.2.1", err: errLiteral},
		{in: "bob@[2001:db8::1]", err: errLiteral},
		{in: "bob@[IPv6:192.0.2.1]", err: errLiteral},
		{in: "bob@[IPv6:fe80::1%eth0]", err: errLiteral},
		{in: "bob@[x400:abc]", err: errLiteral},
		{in: "bob@[]", err: errLiteral},
		{in: l65 + "@example.net", err: errTooLong},
		{in: `"` + l64 + ` "@example.net`, err: errTooLong},
		{in: "b@" + strings.Repeat(label+".", 4) + "net", err: errTooLong},
		{in: l64 + "@" + strings.Repeat(label+".", 3) + "net", err: errTooLong},

		{in: "böb@example.net", want: "böb@example.net"},
		{in: `"böb"@example.net`, want: "böb@example.net"},
		{in: `"b ö"@example.net`, want: `"b ö"@example.net`},
		{in: "bob@München.example", want: "bob@xn--mnchen-3ya.example"},
		{in: "δοκιμή@παράδειγμα.δοκιμή", want: "δοκιμή@xn--hxajbheg2az3al.xn--jxalpdlp"},
		{in: "bob@ex\xe4mple.net", err: errNotUTF8},
		{in: "b\xf6b@example.net", err: errNotUTF8},
		{in: "b\u0085b@example.net", err: errNotUTF8},
		{in: "bob@a\u200bä.example", want: "bob@xn--a-0fa.example"},
		{in: "bob@ä..example", err: errDomain},
		{in: "bob@-ä.example", err: errNoALabel},
		{in: "bob@ä b.example", err: errNoALabel},
	} {
		m, err := ParseMailbox(c.in)
		if err != c.err || err == nil && m.String() != c.want {
			t.Errorf("ParseMailbox(%q) = %q, %v; want %q, %v", c.in, m.String(), err, c.want, c.err)
		}
	}
}

func TestOneMailboxHasOneSpelling(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"bob@example.net", "bob@EXAMPLE.net", true},
		{`"bob"@example.net`, "bob@example.net", true},
		{`"b\ob"@example.net`, `"bob"@example.net`, true},
		{"bob@example.net", "Bob@example.net", false},
		{"böb@münchen.example", "böb@XN--MNCHEN-3YA.example", true},
		{`"a b"@example.net`, `"a  b"@example.net`, false},
	} {
		a, errA := ParseMailbox(c.a)
		b, errB := ParseMailbox(c.b)
		if errA != nil || errB != nil || (a.Same() == b.Same()) != c.same {
			t.Errorf("%q and %q: %q, %v and %q, %v", c.a, c.b, a.Same(), errA, b.Same(), errB)
		}
	}
}

// parsed checks what holds of every address that is taken.
func parsed(t interface{ Errorf(string, ...any) }, in string, m Mailbox) {
	s := m.String()
	again, err := ParseMailbox(s)
	if err != nil || again != m {
		t.Errorf("%q gives %q, and that gives %q, %v", in, s, again.String(), err)
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			t.Errorf("%q gives %q, which cannot stand in a command", in, s)
		}
	}
	if len(m.Local) > maxLocal || len(m.Domain) > maxDomain || len(s) > maxMailbox {
		t.Errorf("%q gives an address of %d octets", in, len(s))
	}
}

func TestAnyLocalPartCanBeQuoted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.StringOfN(rapid.RuneFrom(nil, asciiPrintable), 0, 30, -1).Draw(t, "raw")
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(raw) + `"`
		m, err := ParseMailbox(quoted + "@example.net")
		if err != nil && err != errTooLong {
			t.Fatalf("%q: %v", quoted, err)
		}
		if err == nil {
			parsed(t, quoted, m)
		}
	})
}

func TestAnAtInQuotesIsToldFromOneTooMany(t *testing.T) {
	for path, want := range map[string]bool{
		`MAIL FROM:<"a@b"@c>`: true, `RCPT TO:<@x,@y:"a"@c>`: true, `RCPT TO:<a@b@c>`: false, `RCPT TO:<@x,@y:a"@c>`: false, `RCPT TO:<>`: false,
	} {
		if got := isQuoted(path); got != want {
			t.Errorf("isQuoted(%s) = %v", path, got)
		}
	}
	if m, err := fromPath("a@b@c", true); err != nil || m.String() != `"a@b"@c` {
		t.Errorf("in quotes it is %v, %v", m, err)
	}
	if m, err := fromPath("a@b@c", false); err == nil {
		t.Errorf("without quotes it is %v", m)
	}
}

func FuzzParseMailbox(f *testing.F) {
	for _, seed := range []string{"bob@example.net", `"a\"b"@x`, "a@[IPv6:::1]", "a..b@c", "\"\x00\"@d", "a@b@c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if m, err := ParseMailbox(in); err == nil {
			parsed(t, in, m)
		}
		for _, quoted := range []bool{false, true} {
			if m, err := fromPath(in, quoted); err == nil {
				parsed(t, in, m)
			}
		}
	})
}

// asciiPrintable is what a quoted string may hold.
var asciiPrintable = &unicode.RangeTable{R16: []unicode.Range16{{Lo: ' ', Hi: '~', Stride: 1}}, LatinOffset: 1}
