// Package record is a proxy that stands between an SMTP client and a server, and
// writes down what the server does: what it offers and says at each stage, how
// long it takes, and where it breaks off. Content, credentials and keys are passed
// on and not kept.
package record

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/postonce/postonce/cmd/simrun/internal/draft"
	"github.com/postonce/postonce/spec"
)

// A Recorder is a proxy in front of one server. Its exported fields are set before
// Serve is called.
type Recorder struct {
	// To is the server: host and port.
	To string
	// Sessions ends the recording after so many, Idle when no session was open for
	// so long after the first one; 0 is never.
	Sessions int
	Idle     time.Duration
	// Roots judge the server's certificate; nil are those of the system.
	Roots *x509.CertPool
	// Now tells the time.
	Now func() time.Time

	certificate tls.Certificate
	began       time.Time

	// mu guards what follows. It is never held while anything waits.
	mu       sync.Mutex
	host     draft.Host
	mails    []*transaction
	login    bool
	troubles []string
	open     map[*session]bool
	stopping bool
}

// DialTimeout is how long the server has to take a connection.
const DialTimeout = 30 * time.Second

// New returns a recorder with a certificate of its own, for whoever asks by any
// name: a client that verifies has to be told not to.
func New(to string) (*Recorder, error) {
	host, _, err := net.SplitHostPort(to)
	if err != nil {
		return nil, fmt.Errorf("the server is written HOST:PORT: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 1, 0), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	return &Recorder{
		To: to, Now: time.Now, certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		host: draft.Host{Name: host}, open: map[*session]bool{},
	}, nil
}

// Serve passes on what comes over l until ctx is done, or the recording ends by
// itself. All sessions have ended when it returns. It closes l.
func (r *Recorder) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.began = r.Now()
	over := context.AfterFunc(ctx, func() {
		_ = l.Close()
		r.stop()
	})
	defer over()
	quiet := time.AfterFunc(max(r.Idle, time.Hour), cancel)
	quiet.Stop()
	var running sync.WaitGroup
	defer running.Wait()
	for n := 1; ; n++ {
		client, err := l.Accept()
		if ctx.Err() != nil {
			if err == nil {
				err = client.Close()
			}
			return ignoreClosed(err)
		}
		if err != nil {
			return errors.Join(err, l.Close())
		}
		s := newSession(r, client)
		quiet.Stop()
		r.begin(s)
		running.Go(func() {
			s.run(ctx)
			if r.end(s) == 0 && r.Idle > 0 {
				quiet.Reset(r.Idle)
			}
		})
		if n == r.Sessions {
			return l.Close()
		}
	}
}

// ignoreClosed drops the error of a listener that was closed in order to end.
func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// stop breaks off all that is open.
func (r *Recorder) stop() {
	r.mu.Lock()
	r.stopping = true
	open := slices.Collect(maps.Keys(r.open))
	r.mu.Unlock()
	for _, s := range open { // in any order: their locks come before ours
		s.close()
	}
}

// begin notes that a session is open, end that it is over; end returns how many
// still are.
func (r *Recorder) begin(s *session) {
	r.mu.Lock()
	r.open[s] = true
	stopping := r.stopping
	r.mu.Unlock()
	if stopping {
		s.close()
	}
}

func (r *Recorder) end(s *session) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, s)
	return len(r.open)
}

// note writes down an event, unless the proxy itself breaks off.
func (r *Recorder) note(e draft.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.stopping {
		r.host.Events = append(r.host.Events, e)
	}
}

// amend changes the last event of a stage, if there is one.
func (r *Recorder) amend(stage spec.Stage, change func(*draft.Event)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.host.Events) - 1; i >= 0 && !r.stopping; i-- {
		if e := &r.host.Events[i]; e.Stage == stage {
			change(e)
			return
		}
	}
}

// trouble notes something that a person should know of.
func (r *Recorder) trouble(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if text := fmt.Sprintf(format, args...); !slices.Contains(r.troubles, text) && !r.stopping {
		r.troubles = append(r.troubles, text)
	}
}

// Troubles are what went wrong with the recording itself.
func (r *Recorder) Troubles() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.troubles)
}

// Draft is what was recorded.
func (r *Recorder) Draft() *draft.Draft {
	r.mu.Lock()
	defer r.mu.Unlock()
	host := r.host
	d := &draft.Draft{
		Title: "What was recorded of a server is gone through to the end",
		Notes: []string{"Recorded by a proxy, with other names and addresses; contents, credentials and short waits are left out."},
		Hosts: []*draft.Host{&host}, Mails: merged(r.mails), Login: r.login,
	}
	if r.login {
		d.Notes = append(d.Notes, "The client logged in, so the server is a smart host here; user and secret are made up.")
	}
	if len(d.Mails) == 0 && (len(host.Events) > 0 || host.Network != "") {
		d.Mails = []draft.Mail{{From: "somebody@example.org", To: []string{"somebody@example.net"}}}
		d.Notes = append(d.Notes, "No message was seen: m1 is made up.")
	}
	return d
}

// A transaction is one message as it was sent over the wire.
type transaction struct {
	draft.Mail
	// taken are the recipients that were taken; done is true when the content was.
	taken []string
	done  bool
}

// merged returns the messages of transactions: one that goes to recipients whom an
// earlier one of the same sender has not reached, and to no others, is the same
// message, tried again.
func merged(all []*transaction) []draft.Mail {
	type waiting struct {
		from string
		to   []string
	}
	var open []waiting
	var mails []draft.Mail
	for _, t := range all {
		if len(t.To) == 0 {
			continue
		}
		var left []string
		for _, to := range t.To {
			if !t.done || !slices.Contains(t.taken, to) {
				left = append(left, to)
			}
		}
		i := slices.IndexFunc(open, func(w waiting) bool {
			return w.from == t.From && !slices.ContainsFunc(t.To, func(to string) bool { return !slices.Contains(w.to, to) })
		})
		if i < 0 {
			mails = append(mails, t.Mail)
			open = append(open, waiting{t.From, left})
			continue
		}
		open[i].to = slices.DeleteFunc(open[i].to, func(to string) bool { return slices.Contains(t.To, to) && !slices.Contains(left, to) })
	}
	return mails
}
