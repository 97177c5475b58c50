package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

// chromium finds the browser. Without one the test is skipped, unless
// CHROMIUM=required says that it must not be.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CHROMIUM") == "required" {
		t.Fatal("there is no Chromium on PATH, and CHROMIUM=required (Debian: apt-get install chromium)")
	}
	t.Skip("there is no Chromium on PATH to open the pages with (Debian: apt-get install chromium)")
	return ""
}

// A browser is one tab of a real, headless Chromium.
type browser struct {
	*testing.T
	ctx context.Context
}

// browse opens a tab. It fails the test for every error on a page, and for
// every request that is not for a file.
func browse(t *testing.T) *browser {
	t.Helper()
	path, dir := chromium(t), t.TempDir()
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.WindowSize(1600, 1000)}
	for _, flag := range strings.Fields("headless no-sandbox disable-gpu no-first-run no-default-browser-check " +
		"disable-background-networking disable-component-update disable-sync hide-scrollbars") {
		options = append(options, chromedp.Flag(flag, true))
	}
	patience, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	alloc, stop := chromedp.NewExecAllocator(patience, options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(alloc)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx); closeTab() })
	listening := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("an error on the page: %v", e.ExceptionDetails)
		case *network.EventRequestWillBeSent:
			if url := e.Request.URL; !strings.HasPrefix(url, "file:") && !strings.HasPrefix(url, "data:") {
				t.Errorf("the page asks for %s", url)
			}
		}
	})
	if listening != nil {
		t.Fatal(listening)
	}
	b := &browser{t, ctx}
	tell(b, network.Enable, network.EnableParams{})
	return b
}

// tell sends a command of the DevTools protocol.
func tell[P, R any](b *browser, command cdp.Command[P, R], params P) {
	b.Helper()
	if _, err := chromedp.Call(b.ctx, command, params); err != nil {
		b.Fatal(err)
	}
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.Fatal(err)
	}
}

// get runs an action and returns what it gives.
func get[T any](b *browser, action chromedp.Action[T]) T {
	b.Helper()
	value, err := chromedp.Run(b.ctx, action)
	if err != nil {
		b.Fatal(err)
	}
	return value
}

// open opens the page that a command line writes to the file that it is given.
func (b *browser) open(status sim.Status, args ...string) {
	b.Helper()
	file := filepath.Join(b.TempDir(), "page.html")
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "FILE", file)
	}
	really(b.T, args...).want(b.T, status)
	b.do(chromedp.Navigate("file://" + file))
}

// is demands that an expression is true on the page.
func (b *browser) is(expression string) {
	b.Helper()
	if !get(b, chromedp.Evaluate[bool]("Boolean("+expression+")")) {
		b.Errorf("it does not hold on the page: %s", expression)
	}
}

// text is the text of an element.
func (b *browser) text(selector string) string {
	b.Helper()
	return get(b, chromedp.Evaluate[string](fmt.Sprintf("document.querySelector(%q).textContent", selector)))
}

// press presses keys, and demands words in the fact that is then told.
func (b *browser) press(keys, want string) {
	b.Helper()
	b.do(chromedp.KeyEvent(keys))
	if got := b.text("#fact"); !strings.Contains(got, want) {
		b.Errorf("after %q the page tells %q, want %q", keys, got, want)
	}
}

// keep keeps a picture of the page in the directory that SHOTS names, if any.
func (b *browser) keep(name string) {
	b.Helper()
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), get(b, chromedp.CaptureScreenshot()), 0o644); err != nil {
		b.Error(err)
	}
}

// clickSession clicks the n-th session with the mouse, where no mark is.
func (b *browser) clickSession(n int) {
	b.Helper()
	at := get(b, chromedp.Evaluate[[]float64](fmt.Sprintf(`(() => {
		const session = document.querySelectorAll(".session.took")[%d].querySelector("rect");
		session.scrollIntoView({block: "center", inline: "center"});
		const box = session.getBoundingClientRect();
		for (let x = box.left + 3; x < box.right; x++) {
			const hit = document.elementFromPoint(x, box.top + box.height / 2);
			if (hit === session) return [x, box.top + box.height / 2];
		}
		return [];
	})()`, n)))
	if len(at) != 2 {
		b.Fatalf("no place of session %d can be clicked", n)
	}
	b.do(chromedp.MouseClickXY(at[0], at[1]))
}

func TestTheTraceOfACrashCanBeReadInABrowser(t *testing.T) {
	b := browse(t)
	b.open(sim.OK, "trace", "crash/after-acceptance-report", "-o", "FILE")
	b.keep("crash-wide-light")
	_, hash, _ := strings.Cut(strings.TrimSpace(really(t, "replay", "crash/after-acceptance-report").out), "· trace ")
	for _, words := range []string{"crash/after-acceptance-report", "holds", "leaves doubt", hash, "simrun replay crash/after-acceptance-report"} {
		if !strings.Contains(b.text("header"), words) {
			t.Errorf("the head of the page lacks %q:\n%s", words, b.text("header"))
		}
	}
	for _, lane := range []string{"queue", "m1 → bob@example.net", "report on m1 → alice@example.org", "mx1.example.net", "DNS", "disk"} {
		b.is(fmt.Sprintf("[...document.querySelectorAll('.name')].some((e) => e.textContent === %q)", lane))
	}
	b.is("document.querySelector('.across.crash') && document.querySelector('.m-crash')")

	b.clickSession(0)
	lines := get(b, chromedp.Evaluate[[]string](
		"[...document.querySelectorAll('#dialogue .line')].map((e) => e.querySelector('b').textContent + ' ' + e.querySelector('span').textContent)"))
	for _, want := range []string{
		"S: 220 mx1.example.net ESMTP", "C: MAIL FROM:<alice@example.org> SIZE=284", "S: 354 Go ahead", "C: .",
		"· mx1.example.net ACCEPTS m1@submit.example for bob@example.net",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("the dialogue lacks %q:\n%s", want, strings.Join(lines, "\n"))
		}
	}
	b.keep("crash-dialogue")

	b.press(kb.Home, "world starts the relay")
	b.is("location.hash === '#fact=1'")
	b.press(kb.ArrowRight, "relay is ready")
	b.press(kb.ArrowLeft, "world starts the relay")
	b.press("c", "world crashes the relay: after accepted")
	b.press(kb.ArrowDown, "network has closed the connection")
	b.press(kb.ArrowDown, "relay")
	b.is("document.activeElement.classList.contains('mark') && document.activeElement.getAttribute('aria-label').includes('relay')")
	b.press(kb.ArrowDown, "m1 → bob@example.net")
	b.is("document.activeElement.dataset.lane !== undefined")
	b.do(chromedp.KeyEvent("/"))
	b.is("document.activeElement.id === 'search'")
	// The protocol types the slash although its key was taken, as no keyboard does.
	b.do(chromedp.KeyEvent(kb.Backspace), chromedp.KeyEvent("ACCEPTS"))
	if got := b.text("#found"); got != "1 of 2" && got != "2 of 2" {
		t.Errorf("a search for ACCEPTS says %q", got)
	}
	b.press(kb.Enter, "ACCEPTS")
	b.do(chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent("?"))
	b.is("document.getElementById('help').open")
	b.keep("crash-help")
	b.do(chromedp.KeyEvent(kb.Escape))
	b.is("!document.getElementById('help').open")
	b.do(chromedp.KeyEvent("d"))
	b.is("document.documentElement.dataset.theme === 'dark' && matchMedia('(prefers-color-scheme: light)').matches")
	b.keep("crash-dark-by-key")
}

func TestTheFactsOfABrokenRuleAreShownInABrowser(t *testing.T) {
	b := browse(t)
	tell(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
	b.open(sim.Safety, "trace", "citadel/slow-scanner", "--relay", "citadel-later-hurries", "-o", "FILE")
	b.keep("hurries-dark")
	if got := b.text("#findings"); !strings.Contains(got, "NEVER-TWICE") || !strings.Contains(got, "RFC 1047") || !strings.Contains(got, "36 more violations") {
		t.Errorf("the findings are %q", got)
	}
	b.is("!document.querySelector('.told')")
	b.press("v", "1 of 4 · NEVER-TWICE")
	b.is("document.querySelector('[data-violation=\"0\"]').classList.contains('active')")
	b.is("document.querySelector('[data-violation=\"0\"] .violation-button').getAttribute('aria-pressed') === 'true'")
	b.is("document.querySelectorAll('[id^=fact-].told').length === 4 && document.querySelectorAll('.number').length === 4")
	inView := `(() => { const a = document.querySelector('.mark.chosen').getBoundingClientRect(), b = document.getElementById('scroll').getBoundingClientRect();
		return a.left > b.left && a.right < b.right && a.top > b.top && a.bottom < Math.min(b.bottom, innerHeight); })()`
	b.is(inView)
	b.keep("hurries-violation")
	b.press("v", "mx1.example.net ACCEPTS")
	b.is("document.querySelector('[data-violation=\"1\"]').classList.contains('active') && document.querySelectorAll('.violation.active').length === 1")
	b.do(chromedp.Click(`[data-violation="1"] li:last-child button.go`))
	if got := b.text("#fact"); !strings.Contains(got, "as failed") {
		t.Errorf("a click on a fact of the violation tells %q", got)
	}
	b.is(inView)

	pdf := get(b, chromedp.PrintToPDF(chromedp.PDFPrintBackground(), chromedp.PDFLandscape()))
	b.is("document.querySelectorAll('#print-chart .print-line').length > 3")
	if dir := os.Getenv("SHOTS"); dir != "" {
		_ = os.WriteFile(filepath.Join(dir, "hurries.pdf"), pdf, 0o644)
	}
}

func TestTheReportOfARunIsFilteredInABrowser(t *testing.T) {
	b := browse(t)
	b.open(sim.Safety, "run", "citadel", "retry", "--relay", "citadel-later-hurries", "--report", "html=FILE")
	b.keep("report-light")
	shown := "[...document.querySelectorAll('.run')].filter((e) => e.checkVisibility()).length"
	all := get(b, chromedp.Evaluate[int](shown))
	b.do(chromedp.Click(`input[name=status][value=fails]`))
	fails := get(b, chromedp.Evaluate[int](shown))
	b.is(`document.querySelectorAll('.run[data-status=fails]').length === ` + shown)
	if fails == 0 || fails >= all {
		t.Errorf("%d of %d runs do not hold", fails, all)
	}
	b.is(`location.hash === "#status=fails"`)
	b.do(chromedp.SendKeys(`input[name=q]`, "slow-scanner"))
	b.is(shown + " === 1")
	b.do(chromedp.Click(`[data-name="citadel/slow-scanner"] > summary`))
	b.is("[...document.querySelectorAll('.run[open] .timeline')].every((e) => e.checkVisibility())")
	b.keep("report-bug")
	for _, want := range []string{
		"NEVER-TWICE: mx1.example.net accepted", "RFC 1047", "seed 1", "-- server mx1.example.net --",
		"simrun replay citadel/slow-scanner --relay citadel-later-hurries -v",
	} {
		if got := b.text("[data-name='citadel/slow-scanner'] .issue pre"); !strings.Contains(got, want) {
			t.Errorf("the bug report lacks %q:\n%s", want, got)
		}
	}
}

func TestALongTraceOpensInABrowser(t *testing.T) {
	b := browse(t)
	var trace strings.Builder
	const many = 50_000
	for i := range many {
		f := spec.Fact{At: spec.Wall(i+1) * spec.Wall(time.Second/2), Actor: spec.ActorRelay, Kind: spec.FactAttempt, Message: fmt.Sprintf("m%d", i%1000)}
		f.To, f.Attempt = []string{"bob@example.net"}, i/1000+1
		if i%5 == 0 {
			f.Kind, f.State = spec.FactOutcome, spec.Queued
		}
		trace.WriteString(f.String() + "\n")
	}
	file := filepath.Join(t.TempDir(), "long.trace")
	if err := os.WriteFile(file, []byte(trace.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	b.open(sim.OK, "trace", file, "-o", "FILE")
	b.keep("long")
	drawn := "document.querySelectorAll('#plot *').length"
	if n := get(b, chromedp.Evaluate[int](drawn)); n > 10_000 {
		t.Errorf("%d elements are drawn at once", n)
	}
	if got := b.text("#about"); !strings.Contains(got, "folded") || !strings.Contains(got, "near the view") {
		t.Errorf("it is not said what is drawn: %q", got)
	}
	b.press(kb.End, "50000 of 50000")
	b.is("document.activeElement.id === 'fact-49999'")
	at := get(b, chromedp.Evaluate[[]float64](`(() => { const box = document.querySelector(".more").getBoundingClientRect(); return [box.x + 5, box.y + 5]; })()`))
	b.do(chromedp.MouseClickXY(at[0], at[1]))
	b.is("document.querySelector('.more').getAttribute('aria-expanded') === 'true'")
	if n := get(b, chromedp.Evaluate[int](drawn)); n > 10_000 {
		t.Errorf("%d elements are drawn at once when a lane of hundreds is opened", n)
	}
	b.is("document.querySelectorAll('.name').length > 200")
}
