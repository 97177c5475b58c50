package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/tools/txtar"

	"github.com/postonce/postonce/impl/spool"
	"github.com/postonce/postonce/spec/seam"
)

// An export is a directory with exported messages, and a configuration whose
// spool is not there yet.
type export struct {
	t      *testing.T
	dir    string
	config string
}

// newExport writes the files of testdata/citadel.txtar.
func newExport(t *testing.T) export {
	t.Helper()
	x := export{t, t.TempDir(), testConfig(t, filepath.Join(t.TempDir(), "spool"))}
	a, err := txtar.ParseFile("testdata/citadel.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range a.Files {
		x.write(f.Name, strings.ReplaceAll(string(f.Data), "␍", "\r"))
	}
	return x
}

func (x export) write(name, text string) {
	x.t.Helper()
	if err := os.WriteFile(filepath.Join(x.dir, name), []byte(text), 0o600); err != nil {
		x.t.Fatal(err)
	}
}

func (x export) path(name string) string { return filepath.Join(x.dir, name) }

// run runs a queue command, and returns what it prints, with DIR for the
// directory.
func (x export) run(status int, args ...string) string {
	x.t.Helper()
	var out strings.Builder
	if got := run(testConsole(&out), append(append([]string{"queue"}, args...), "--config", x.config)); got != status {
		x.t.Errorf("exit status %d, want %d:\n%s", got, status, out.String())
	}
	return strings.ReplaceAll(out.String(), x.dir, "DIR")
}

func TestACitadelSpoolIsImportedOnce(t *testing.T) {
	x := newExport(t)
	golden(t, "citadel.dry", x.run(exitFailure, "import-citadel", "--dry-run", x.dir))
	if out := x.run(exitFailure, "list"); !strings.Contains(out, "there is no spool in ") {
		t.Error("a dry run makes a spool:", out)
	}
	golden(t, "citadel.imported", x.run(exitFailure, "import-citadel", x.dir))
	golden(t, "citadel.list", x.run(exitOK, "list"))
	golden(t, "citadel.again", x.run(exitFailure, "import-citadel", x.dir))
	golden(t, "citadel.list", x.run(exitOK, "list"))
}

func TestAnImportedPairIsNeverImportedAgain(t *testing.T) {
	x := newExport(t)
	pair := []string{"import-citadel", "--control", x.path("1001"), "--message", x.path("1000.eml")}
	if out := x.run(exitOK, pair...); !strings.Contains(out, "1 message queued.") {
		t.Fatal(out)
	}
	// It is delivered and gone; and Citadel has written its list again.
	x.remove()
	control, err := os.ReadFile(x.path("1001"))
	if err != nil {
		t.Fatal(err)
	}
	x.write("1001", strings.Replace(string(control), "carol@example.net|0|", "carol@example.net|4|later", 1))
	out := x.run(exitOK, pair...)
	if !strings.Contains(out, "DIR/1001: imported before, as ") || !strings.Contains(out, "0 messages queued, 1 imported before.") {
		t.Error(out)
	}
	if out := x.run(exitOK, "list"); out != "The queue is empty.\n" {
		t.Error(out)
	}
}

// remove removes all control entries from the spool.
func (x export) remove() {
	x.t.Helper()
	cfg, err := testConsole(nil).load(x.config)
	if err != nil {
		x.t.Fatal(err)
	}
	store, err := spool.Open(string(cfg.Spool), spool.Options{})
	if err != nil {
		x.t.Fatal(err)
	}
	defer store.Close()
	entries, err := store.Scan(seam.SpaceControl, "", "", 100)
	if err != nil || len(entries) == 0 {
		x.t.Fatal(len(entries), err)
	}
	for _, e := range entries {
		done := make(chan error, 1)
		store.Apply([]seam.Op{{Key: e.Key, Delete: true}}, func(err error) { done <- err })
		if err := <-done; err != nil {
			x.t.Fatal(err)
		}
	}
}

func TestWhatIsImportedHasLinesThatEndInCRLF(t *testing.T) {
	x := newExport(t)
	x.run(exitFailure, "import-citadel", x.dir)
	cfg, err := testConsole(nil).load(x.config)
	if err != nil {
		t.Fatal(err)
	}
	store, err := spool.Open(string(cfg.Spool), spool.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	chunks, err := store.Scan(seam.SpaceBody, "", "", 100)
	if err != nil || len(chunks) == 0 {
		t.Fatal(len(chunks), err)
	}
	for _, chunk := range chunks {
		if bytes.Count(chunk.Value, []byte("\n")) != bytes.Count(chunk.Value, []byte("\r\n")) || bytes.Contains(chunk.Value, []byte("\r\r")) {
			t.Errorf("%s: %q", chunk.Key.Name, chunk.Value)
		}
	}
}

func TestAMailIsReadWithCRLF(t *testing.T) {
	file := filepath.Join(t.TempDir(), "1")
	for text, want := range map[string]string{
		"": "", "a": "a", "\n": "\r\n", "a\nb\r\nc\n\n": "a\r\nb\r\nc\r\n\r\n", "\r\n": "\r\n", "\r\r\n": "\r\r\n", "a\rb\n": "a\rb\r\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := openMail(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(m, []byte(want)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		m.Close()
	}
}

// TestASenderIsFoundWhateverHisNameIsWrittenIn: only the address is wanted.
func TestASenderIsFoundWhateverHisNameIsWrittenIn(t *testing.T) {
	for field, want := range map[string]string{
		"alice@example.org":                              "alice@example.org",
		"Alice <alice@example.org>, dan@example.net":     "alice@example.org",
		"=?utf-8?Q?Ren=C3=A9?= <rene@example.org>":       "rene@example.org",
		"=?koi8-r?B?8MXU0g==?= <petr@example.org>":       "petr@example.org",
		"=?windows-1252?Q?Ren=E9?= <rene@example.org>":   "rene@example.org",
		"=?x-nobody-knows?Q?Ren=E9?= <rene@example.org>": "rene@example.org",
		"Ren\xe9 <rene@example.org>":                     "rene@example.org",
		"\"Ren\xe9 <at home>\" <rene@example.org>":       "rene@example.org",
		"Ren\xe9 <\"rene d\"@Example.org>":               "\"rene d\"@Example.org",
		"Ren\xe9 <rene>":                                 "",
		"Ren\xe9 > rene@example.org <":                   "",
		"Ren\xe9":                                        "",
		"undisclosed":                                    "",
		"undisclosed:;":                                  "",
		"":                                               "",
	} {
		if got, err := senderIn(field); got != want || (err == nil) != (want != "") {
			t.Errorf("%q names %q, want %q: %v", field, got, want, err)
		}
	}
}

// TestAPairIsKnownByWhatStaysTheSame: not by how lines end, nor by statuses.
func TestAPairIsKnownByWhatStaysTheSame(t *testing.T) {
	const control = "Content-type: application/x-citadel-delivery-list\n\nmsgid|1\nsubmitted|1772625000\nremote|bob@example.net|0|\n"
	id := func(control, mail string) string {
		x := export{t: t, dir: t.TempDir()}
		x.write("control", control)
		x.write("mail", mail)
		list, err := readControl(x.path("control"))
		if err != nil {
			t.Fatal(err)
		}
		id, err := (&citadelPair{x.path("control"), x.path("mail"), list}).id()
		if err != nil {
			t.Fatal(err)
		}
		return string(id)
	}
	first := id(control, "a\n\nb\n")
	for _, same := range [][2]string{
		{control, "a\r\n\r\nb\r\n"}, {strings.Replace(control, "|0|", "|4|busy", 1) + "attempted|1772626000\nretry|600\n", "a\n\nb\n"},
	} {
		if got := id(same[0], same[1]); got != first {
			t.Errorf("%q has %s, not %s", same, got, first)
		}
	}
	for _, other := range [][2]string{
		{control, "a\n\nc\n"}, {strings.Replace(control, "|1\n", "|2\n", 1), "a\n\nb\n"}, {strings.Replace(control, "5000", "5001", 1), "a\n\nb\n"},
	} {
		if got := id(other[0], other[1]); got == first {
			t.Errorf("%q has %s, too", other, got)
		}
	}
}

func TestAnImportSaysHowItIsCalled(t *testing.T) {
	x := newExport(t)
	const says = "name one directory, or one pair of files with --control and --message"
	for _, args := range []string{"", "a b", "a --control b --message c", "--control b", "--message c", "a --control b"} {
		if out := x.run(exitUsage, append([]string{"import-citadel"}, strings.Fields(args)...)...); !strings.Contains(out, says) {
			t.Errorf("%q: %s", args, out)
		}
	}
	if out := x.run(exitFailure, "import-citadel", x.path("none")); !strings.Contains(out, "DIR/none: no such file or directory") {
		t.Error(out)
	}
	if out := x.run(exitFailure, "import-citadel", "--control", x.path("1000.eml"), "--message", x.path("1001")); !strings.Contains(out, "DIR/1000.eml:") {
		t.Error(out)
	}
}

func TestAnImportNeedsAStoppedRelay(t *testing.T) {
	config, dir := testSpool(t, nil)
	store, err := spool.Open(dir, spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	x := newExport(t)
	x.config = config
	if out := x.run(exitFailure, "import-citadel", x.dir); !strings.Contains(out, "is in use by a running relay: stop it first") {
		t.Error(out)
	}
}

// TestAFileThatCannotBeReadKeepsNoOtherFromBeingImported: its path is longer
// than a path may be, which stops root, too.
func TestAFileThatCannotBeReadKeepsNoOtherFromBeingImported(t *testing.T) {
	x := export{t: t, dir: t.TempDir(), config: testConfig(t, filepath.Join(t.TempDir(), "spool"))}
	const pathMax = 4096
	for len(x.dir) < pathMax-20 {
		x.dir = filepath.Join(x.dir, strings.Repeat("d", min(200, pathMax-20-len(x.dir))))
	}
	if err := os.MkdirAll(x.dir, 0o700); err != nil {
		t.Skip("no path can be so long here:", err)
	}
	x.write("1", "From: alice@example.org\n\nHello.\n")
	x.write("2", "Content-type: application/x-citadel-delivery-list\n\nmsgid|1\nremote|bob@example.net|0|\n")
	x.write("4", "Content-type: application/x-citadel-delivery-list\n\nmsgid|3\nremote|bob@example.net|0|\n")
	t.Chdir(x.dir)
	if err := os.WriteFile("3."+strings.Repeat("e", 30), []byte("From: alice@example.org\n\nHello.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := x.run(exitFailure, "import-citadel", x.dir)
	for _, says := range []string{"DIR/2: queued as ", "file name too long", "1 message queued."} {
		if !strings.Contains(out, says) {
			t.Errorf("it does not say %q:\n%s", says, out)
		}
	}
	if strings.Contains(out, "mail 3 is missing") || strings.Contains(out, "left alone") {
		t.Errorf("it is there, and cannot be read:\n%s", out)
	}
}

func TestADirectoryWithoutControlMessagesIsNoExport(t *testing.T) {
	x := export{t: t, dir: t.TempDir(), config: testConfig(t, filepath.Join(t.TempDir(), "spool"))}
	const want = "postonce: there is no control message (Content-Type application/x-citadel-delivery-list) in DIR\n"
	for range 2 {
		if out := x.run(exitFailure, "import-citadel", x.dir); out != want {
			t.Errorf("got %q, want %q", out, want)
		}
		x.write("1000.eml", "From: alice@example.org\n\nHello.\n")
	}
	if out := x.run(exitFailure, "list"); !strings.Contains(out, "there is no spool in ") {
		t.Error("a spool is made for nothing:", out)
	}
}
