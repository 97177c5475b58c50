package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/postonce/postonce/impl/route"
	"github.com/postonce/postonce/impl/sasl"
	"github.com/postonce/postonce/spec"
)

// A login is the relay's credentials for a host. The secret stands elsewhere: a
// configuration is shown to many, and its errors show lines of it.
type login struct {
	User       text        `yaml:"user"`
	SecretFile text        `yaml:"secret_file"`
	SecretEnv  text        `yaml:"secret_env"`
	Mechanisms []mechanism `yaml:"mechanisms"`
	Clear      yesNo       `yaml:"clear"`
}

type mechanism spec.Mechanism

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (m *mechanism) UnmarshalYAML(node ast.Node) error {
	s, err := scalar(node, "a mechanism")
	if err != nil {
		return err
	}
	v, err := spec.ParseMechanism(s)
	if err != nil {
		return wrong(node, "%.40q is no mechanism: write some of %s", s, mechanismNames())
	}
	*m = mechanism(v)
	return nil
}

func mechanismNames() string {
	var names []string
	for _, m := range spec.Mechanisms() {
		names = append(names, string(m))
	}
	return strings.Join(names, ", ")
}

type yesNo bool

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (y *yesNo) UnmarshalYAML(node ast.Node) error {
	s, err := scalar(node, "true or false")
	if err == nil && s != "true" && s != "false" {
		err = wrong(node, "%.40q is neither true nor false", s)
	}
	*y = s == "true"
	return err
}

// loginHost returns a key of login as spec.Policy.Logins has it.
func loginHost(name string) string {
	hosts, err := route.RelayHosts([]string{name}, 25)
	if err != nil {
		return destination(name)
	}
	return destination(hosts[0].Name)
}

// logins returns the logins as a policy has them, without the secrets.
func (c *config) logins() map[string]spec.Login {
	if len(c.Login) == 0 {
		return nil
	}
	all := make(map[string]spec.Login)
	for name, l := range c.Login { // any order: hosts are different, once they are checked
		all[loginHost(name)] = l.spec()
	}
	return all
}

// spec returns a login as a policy has it, without the secret.
func (l login) spec() spec.Login {
	one := spec.Login{User: string(l.User), Clear: bool(l.Clear)}
	for _, m := range l.Mechanisms {
		if m != "" { // one that is none was told of
			one.Mechanisms = append(one.Mechanisms, spec.Mechanism(m))
		}
	}
	return one
}

// logins finds what is wrong with the logins, but for the secrets.
func (k *checker) logins() {
	p := k.config.policy()
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(k.config.Login)) {
		l, at, host := k.config.Login[name], key("login", name), loginHost(name)
		if before := seen[host]; before != "" {
			k.at(at, fmt.Errorf("%q and %q are the same host: keep one", before, name))
			continue
		}
		seen[host] = name
		switch {
		case l.User == "":
			k.at(at, errors.New("the user is missing: write user: and a name"))
		case (l.SecretFile == "") == (l.SecretEnv == ""):
			k.at(at, errors.New("write where the secret is: secret_file: and a path, or secret_env: and the name of a variable"))
		case l.SecretFile != "" && !filepath.IsAbs(string(l.SecretFile)):
			k.at(key("login", name, "secret_file"), fmt.Errorf("%.100q is relative to wherever the relay is started: write the whole path", l.SecretFile))
		default:
			p.Logins = map[string]spec.Login{host: l.spec()}
			if err := p.LoginTrouble(host); err != nil {
				k.at(at, err)
			}
		}
	}
}

// secret reads the secret of the login for a host, as it is now.
func (c *config) secret(host string) (spec.Secret, error) {
	for name, l := range c.Login { // any order: hosts are different
		if loginHost(name) != host {
			continue
		}
		if l.SecretEnv != "" {
			return envSecret(string(l.SecretEnv))
		}
		return fileSecret(string(l.SecretFile))
	}
	return spec.Secret{}, fmt.Errorf("there is no login for %s", host)
}

func envSecret(name string) (spec.Secret, error) {
	s, ok := os.LookupEnv(name)
	if !ok {
		return spec.Secret{}, fmt.Errorf("the variable %s is not set", name)
	}
	return spec.NewSecret(s), nil
}

// mostSecretFile bounds the file of a secret; a larger one is something else.
const mostSecretFile = 16 << 10

// fileSecret reads a file that holds a secret, and perhaps the end of its line.
func fileSecret(path string) (spec.Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return spec.Secret{}, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, mostSecretFile))
	if err != nil {
		return spec.Secret{}, err
	}
	return spec.NewSecret(strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")), nil
}

// secrets reads all secrets, and says of which something is wrong, without
// telling any.
func (c *config) secrets() error {
	var errs []error
	logins := c.logins()
	for _, host := range slices.Sorted(maps.Keys(logins)) {
		s, err := c.secret(host)
		if why := s.Trouble(); err == nil && why != "" {
			err = errors.New(why)
		}
		if l := logins[host]; err == nil && slices.Contains(l.Allowed(), spec.SCRAMSHA256) {
			_, err = sasl.New(spec.SCRAMSHA256, l.User, s, "check")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("login.%s: the secret cannot be used: %w", host, err))
		}
	}
	return errors.Join(errs...)
}

// inTheOpen returns an error when a configuration holds what looks like a
// secret. It shows no line, as other errors do.
func inTheOpen(body ast.Node) error {
	for _, login := range entry(body, "login") {
		hosts, ok := mapping(login)
		if !ok {
			return errors.New("login: hosts, and user and secret_file of each, are wanted here")
		}
		for _, host := range hosts {
			keys, ok := mapping(host.Value)
			if !ok {
				return fmt.Errorf("login.%s: user and secret_file are wanted here", host.Key.GetToken().Value)
			}
			for _, k := range keys {
				switch name := k.Key.GetToken().Value; strings.ToLower(name) {
				case "secret", "password", "pass", "passwd", "token":
					return fmt.Errorf("login.%s.%s, in line %d: a secret does not stand in a configuration: put it into a file that the relay alone "+
						"may read, and write secret_file: and its path; or secret_env: and the name of a variable",
						host.Key.GetToken().Value, name, k.Key.GetToken().Position.Line)
				}
			}
		}
	}
	return nil
}

// entry returns the values of a key.
func entry(body ast.Node, name string) []ast.Node {
	values, _ := mapping(body)
	var all []ast.Node
	for _, v := range values {
		if v.Key.GetToken().Value == name {
			all = append(all, v.Value)
		}
	}
	return all
}
