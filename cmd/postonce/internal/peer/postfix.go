package peer

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// postfixMain is main.cf. Everything is offered that a client may use.
const postfixMain = `compatibility_level = 3.6
myhostname = %[1]s
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
relayhost = %[3]s
smtp_address_preference = ipv4
virtual_mailbox_domains = %[2]s
virtual_mailbox_base = /var/mail
virtual_mailbox_maps = static:peer/
virtual_minimum_uid = 1
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
maillog_file = /var/log/peer.log
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_peername_lookup = no
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/postfix/peer.crt
smtpd_tls_key_file = /etc/postfix/peer.key
smtpd_tls_received_header = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain = %[1]s
cyrus_sasl_config_path = /etc/postfix/sasl
`

// StartPostfix runs Postfix. Mail for Domain ends in a mailbox.
func StartPostfix(ctx context.Context, c Config) (Server, error) {
	nextHost, nextPort, err := net.SplitHostPort(c.NextHop)
	if err != nil {
		return nil, err
	}
	next := fmt.Sprintf("[%s]:%s", nextHost, nextPort)
	master, err := os.ReadFile(filepath.Join(c.Root, "usr/share/postfix/master.cf.dist"))
	if err != nil {
		return nil, fmt.Errorf("%s holds no Postfix: %w", c.Root, err)
	}
	err = install(c.Root, map[string]string{
		"etc/postfix/main.cf":         fmt.Sprintf(postfixMain, Host, Domain, next),
		"etc/postfix/master.cf":       postfixServices(string(master), c.Addr),
		"etc/postfix/peer.crt":        string(c.Certificate),
		"etc/postfix/peer.key":        string(c.Key),
		"etc/postfix/sasl/smtpd.conf": "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256\n",
		"var/log/peer.log":            "",
	})
	if err != nil {
		return nil, err
	}
	if err := empty(c.Root, "var/mail/peer"); err != nil {
		return nil, err
	}
	if err := within(c.Root, Secret, "/usr/sbin/saslpasswd2", "-c", "-p", "-u", Host, User); err != nil {
		return nil, err
	}
	if err := within(c.Root, "", "/bin/chown", "postfix", "/etc/sasldb2"); err != nil {
		return nil, err
	}
	p, err := start(c.Root, "var/log/peer.out", "/usr/sbin/postfix", "start-fg")
	if err != nil {
		return nil, err
	}
	s := &postfix{p}
	if err := listens(ctx, c.Addr); err != nil {
		return nil, fmt.Errorf("%w\n%s", errorsOf(p.Close(), err), s.Log())
	}
	return s, nil
}

func errorsOf(closing, err error) error {
	if closing != nil {
		return fmt.Errorf("%w; and %w", err, closing)
	}
	return err
}

// postfixServices has smtpd listen at addr, and no service in a chroot of its own:
// Debian's init script would have to copy files there.
func postfixServices(master, addr string) string {
	master = regexp.MustCompile(`(?m)^smtp( +inet )`).ReplaceAllString(master, addr+"$1")
	return regexp.MustCompile(`(?m)^(\S+ +(?:inet|unix|fifo|unix-dgram|pass) +[ny-] +[ny-] +)[y-]`).ReplaceAllString(master, "${1}n")
}

type postfix struct{ *process }

// Stored implements Server.
func (p *postfix) Stored() ([][]byte, error) { return maildir(filepath.Join(p.root, "var/mail/peer")) }

// Log implements Server.
func (p *postfix) Log() string {
	text, _ := os.ReadFile(filepath.Join(p.root, "var/log/peer.log")) // none is no log
	out, _ := os.ReadFile(filepath.Join(p.root, "var/log/peer.out"))
	return string(text) + string(out)
}

// Sessions implements Server. Since version 3.0 Postfix says what it heard when
// a client leaves: "disconnect from HOST ehlo=2 starttls=1 mail=1 … commands=6",
// "auth=0/1" when it refused.
func (p *postfix) Sessions() ([]Session, error) {
	var all []Session
	lines := bufio.NewScanner(strings.NewReader(p.Log()))
	for lines.Scan() {
		_, counts, found := strings.Cut(lines.Text(), ": disconnect from ")
		if !found {
			continue
		}
		session := Session{}
		for _, word := range strings.Fields(counts)[1:] {
			name, count, _ := strings.Cut(word, "=")
			taken, _, _ := strings.Cut(count, "/")
			n, err := strconv.Atoi(taken)
			if err != nil {
				return nil, fmt.Errorf("the log has %q: %w", lines.Text(), err)
			}
			session[name] = n
		}
		all = append(all, session)
	}
	return all, lines.Err()
}
