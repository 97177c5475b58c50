package fakesmtp

import (
	"testing"
	"time"
)

func TestAnIdleClientHasAsLongAsTheRuleSays(t *testing.T) {
	inWorld(t, "at idle, first 1: delay 30s; 421 4.4.2 Idle too long; fin", func(w *world) {
		k := w.connect().greet()
		time.Sleep(time.Hour) // before a mail it is not idle
		k.envelope("bob@example.net").do(content + "\r\n. = 250")
		k.ended("421 4.4.2 Idle too long\r\n")
		w.check("1h0m0s accepted m1@example.org bob@example.net", "1h0m0s replied m1@example.org bob@example.net",
			"1h0m30s fault at idle, first 1: delay 30s; 421 4.4.2 Idle too long; fin")
	})
}

func TestAClientThatGoesOnIsNotIdle(t *testing.T) {
	inWorld(t, "at idle: delay 30s; cut", func(w *world) {
		k := w.connect().greet()
		k.envelope("bob@example.net").do(content + "\r\n. = 250")
		time.Sleep(29 * time.Second)
		k.do("RSET = 250")
		time.Sleep(29 * time.Second)
		k.do("MAIL FROM:<> = 250")
		time.Sleep(time.Minute) // within a transaction
		k.do("QUIT = 221")
		k.ended("")
		w.check("0s accepted m1@example.org bob@example.net", "0s replied m1@example.org bob@example.net")
	})
}

func TestWordsToAnIdleClientLeadItAstray(t *testing.T) {
	inWorld(t, "at idle, first 1: 250 2.0.0 By the way", func(w *world) {
		k := w.connect().greet()
		k.envelope("bob@example.net").do(content + "\r\n. = 250")
		k.read("250 2.0.0 By the way")
		k.do("DATA = 503") // and it is not blamed
		w.check("0s accepted m1@example.org bob@example.net", "0s replied m1@example.org bob@example.net", "0s fault at idle, first 1: 250 2.0.0 By the way")
	})
}
