package peer

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// eximConf is the configuration. Everything is offered that a client may use.
const eximConf = `primary_hostname = %[1]s
local_interfaces = %[4]s
daemon_smtp_ports = %[5]s
log_file_path = /var/log/exim4/%%slog
log_selector = +smtp_connection +pipelining
host_lookup =
never_users =
keep_environment =
disable_ipv6 = true
acl_smtp_rcpt = accept
acl_smtp_data = accept
acl_smtp_quit = peer_quit
tls_advertise_hosts = *
tls_certificate = /etc/exim4/peer.crt
tls_privatekey = /etc/exim4/peer.key
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
chunking_advertise_hosts = *
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0

begin acl
peer_quit:
  accept
    logwrite = session $smtp_command_history

begin routers
mailbox:
  driver = accept
  domains = %[2]s
  transport = mailbox
others:
  driver = manualroute
  route_list = * %[3]s byname
  self = send
  transport = remote

begin transports
mailbox:
  driver = appendfile
  directory = /var/mail/peer
  maildir_format
  user = mail
  group = mail
remote:
  driver = smtp
  port = %[6]s
  hosts_avoid_tls = *

begin retry
* * F,1h,2s

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{%[7]s}}{eq{$auth3}{%[8]s}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if and{{eq{$auth1}{%[7]s}}{eq{$auth2}{%[8]s}}}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${if eq{$auth1}{%[7]s}{%[8]s}fail}
  server_set_id = $auth1
`

// StartExim runs Exim. Mail for Domain ends in a mailbox.
func StartExim(ctx context.Context, c Config) (Server, error) {
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return nil, err
	}
	nextHost, nextPort, err := net.SplitHostPort(c.NextHop)
	if err != nil {
		return nil, err
	}
	conf := fmt.Sprintf(eximConf, Host, Domain, nextHost, host, port, nextPort, User, Secret)
	err = install(c.Root, map[string]string{
		"etc/exim4/exim4.conf": conf, "etc/exim4/peer.crt": string(c.Certificate), "etc/exim4/peer.key": string(c.Key),
		"var/log/exim4/mainlog": "", "var/log/exim4/paniclog": "",
	})
	if err != nil {
		return nil, err
	}
	if err := empty(c.Root, "var/mail/peer"); err != nil {
		return nil, err
	}
	for _, args := range [][]string{
		{"/bin/chown", "-R", "Debian-exim", "/var/log/exim4", "/var/spool/exim4"},
		{"/bin/chown", "root:Debian-exim", "/etc/exim4/exim4.conf"}, {"/bin/chmod", "640", "/etc/exim4/exim4.conf"},
	} {
		if err := within(c.Root, "", args...); err != nil {
			return nil, err
		}
	}
	p, err := start(c.Root, "var/log/peer.out", "/usr/sbin/exim4", "-bdf", "-q2s")
	if err != nil {
		return nil, err
	}
	s := &exim{p}
	if err := listens(ctx, c.Addr); err != nil {
		return nil, fmt.Errorf("%w\n%s", errorsOf(p.Close(), err), s.Log())
	}
	return s, nil
}

type exim struct{ *process }

// Stored implements Server.
func (p *exim) Stored() ([][]byte, error) { return maildir(filepath.Join(p.root, "var/mail/peer")) }

// Log implements Server.
func (p *exim) Log() string {
	all := ""
	for _, name := range [...]string{"exim4/mainlog", "exim4/paniclog", "peer.out"} {
		text, _ := os.ReadFile(filepath.Join(p.root, "var/log", name)) // none is no log
		all += string(text)
	}
	return all
}

// Sessions implements Server. The configuration has the history of commands
// written down at QUIT; it holds the last twenty.
func (p *exim) Sessions() ([]Session, error) {
	var all []Session
	lines := bufio.NewScanner(strings.NewReader(p.Log()))
	for lines.Scan() {
		_, commands, found := strings.Cut(lines.Text(), " session ")
		if !found {
			continue
		}
		session := Session{}
		for command := range strings.SplitSeq(commands, ",") {
			session[strings.ToLower(command)]++
		}
		all = append(all, session)
	}
	return all, lines.Err()
}
