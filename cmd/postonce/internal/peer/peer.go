// Package peer runs mail servers that others wrote, as receivers: Postfix and
// Exim as Debian ships them, each in a root directory of its own made by
// ".ci/peers", and one of package go-smtp in this process. What they stored, and
// what they heard in each session, is evidence that ours alone could not give.
package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Domain is whose mail a peer keeps; all other mail it sends on to
// Config.NextHop. Host is the peer's own name.
const (
	Domain = "example.net"
	Host   = "mx.example.net"
)

// User and Secret are what a peer takes for AUTH.
const (
	User   = "relay"
	Secret = "a secret of the relay"
)

// A Config is what a peer is told.
type Config struct {
	// Root is the directory that holds the server, as ".ci/peers" made it.
	Root string
	// Addr is where the peer listens, NextHop where it sends its own mail to;
	// both are IPv4 address and port.
	Addr, NextHop string
	// Certificate and Key are PEM, for Host.
	Certificate, Key []byte
}

// A Server is a peer that runs.
type Server interface {
	// Stored returns what lies in the mailbox of Domain.
	Stored() ([][]byte, error)
	// Sessions returns the sessions that have ended.
	Sessions() ([]Session, error)
	// Log is what the server wrote down.
	Log() string
	// Close ends the server, at once, and waits for its end.
	Close() error
}

// A Session is what a server heard in one connection: how often each command, by
// its lower-case name.
type Session map[string]int

// A process is a server in a root directory of its own, with all that it started.
type process struct {
	root string
	cmd  *exec.Cmd
}

// start runs a command as the first process of a PID namespace: when it ends, the
// kernel ends all others there. It needs the rights of root.
func start(root, logName string, args ...string) (*process, error) {
	log, err := os.Create(filepath.Join(root, logName))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Cloneflags: syscall.CLONE_NEWPID, Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s in %s: %w", args[0], root, err)
	}
	return &process{root, cmd}, nil
}

// Close implements Server.
func (p *process) Close() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	var ended *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &ended) {
		return err
	}
	return nil
}

// within runs a command in a root directory and returns what it printed.
func within(root, input string, args ...string) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin = strings.NewReader(input)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s in %s: %w\n%s", strings.Join(args, " "), root, err, out)
	}
	return nil
}

// listens waits until somebody listens at an address, half a minute at most.
func listens(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "tcp", addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("nobody listens at %s: %w", addr, err)
		}
	}
}

// install writes files into a root directory, readable for all.
func install(root string, files map[string]string) error {
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// empty makes a directory of a root directory anew, for everybody to write.
func empty(root, name string) error {
	path := filepath.Join(root, name)
	if err := errors.Join(os.RemoveAll(path), os.MkdirAll(path, 0o755)); err != nil {
		return err
	}
	return os.Chmod(path, 0o777) // MkdirAll goes by the umask
}

// maildir returns the messages of a maildir, in the order of their names.
func maildir(dir string) ([][]byte, error) {
	var all [][]byte
	for _, sub := range [...]string{"new", "cur"} {
		names, err := filepath.Glob(filepath.Join(dir, sub, "*"))
		if err != nil {
			return nil, err
		}
		slices.Sort(names)
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			all = append(all, text)
		}
	}
	return all, nil
}
