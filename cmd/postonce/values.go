package main

import (
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/postonce/postonce/spec"
)

// The types below are the scalars of a configuration. Each reads itself from
// the syntax tree, so that an error can point at the place and say what is
// allowed there.

type text string

type count int64

type duration time.Duration

// A warning is a length of time, or never, which is 0.
type warning time.Duration

// A factor is a ratio of whole numbers.
type factor struct{ numerator, denominator int64 }

// A percent is a share of a hundred.
type percent int

type doubt spec.InDoubtPolicy

type level spec.TLSLevel

type onOff bool

type family string

// A yes is true or false.
type yes bool

type logFormat string

type logLevel slog.Level

// wrong returns an error that shows a place in the configuration, with the
// path of the key.
func wrong(node ast.Node, format string, args ...any) error {
	return wrongAt(node, node.GetToken(), format, args...)
}

// wrongAt is wrong with the place to show.
func wrongAt(node ast.Node, place *token.Token, format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	if key, ok := strings.CutPrefix(node.GetPath(), "$."); ok {
		message = key + ": " + message
	}
	return &yaml.SyntaxError{Message: message, Token: place}
}

// scalar returns the text of a node that holds one value.
func scalar(node ast.Node, want string) (string, error) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, nil
	}
	return "", wrong(node, "one value is wanted here: %s", want)
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (t *text) UnmarshalYAML(node ast.Node) error {
	s, err := scalar(node, "a text")
	if err == nil && s == "" {
		err = wrong(node, "the text is empty; leave the key out for the default")
	}
	if err == nil {
		*t = text(s)
	}
	return err
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (c *count) UnmarshalYAML(node ast.Node) error {
	const want = "a whole number"
	s, err := scalar(node, want)
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return wrong(node, "%.40q is not %s", s, want)
	}
	if n > math.MaxInt32 {
		return wrong(node, "%d is more than %d", n, math.MaxInt32)
	}
	*c = count(n)
	return nil
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (d *duration) UnmarshalYAML(node ast.Node) error {
	const want = "a number and a unit, such as 30s, 5m or 120h"
	s, err := scalar(node, want)
	if err != nil {
		return err
	}
	v, err := time.ParseDuration(s)
	if err != nil || v <= 0 {
		return wrong(node, "%.40q is not a length of time: write %s", s, want)
	}
	*d = duration(v)
	return nil
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (w *warning) UnmarshalYAML(node ast.Node) error {
	const want = "a number and a unit, such as 30m or 4h, or never"
	s, err := scalar(node, want)
	if err != nil {
		return err
	}
	if s == "never" {
		*w = 0
		return nil
	}
	v, err := time.ParseDuration(s)
	if err != nil || v <= 0 {
		return wrong(node, "%.40q is not a length of time: write %s", s, want)
	}
	*w = warning(v)
	return nil
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (p *percent) UnmarshalYAML(node ast.Node) error {
	const want = "a whole number of percent, such as 10%"
	s, err := scalar(node, want)
	if err != nil {
		return err
	}
	number, ok := strings.CutSuffix(s, "%")
	n, err := strconv.ParseUint(number, 10, 16)
	if !ok || err != nil {
		return wrong(node, "%.40q is not a share: write %s", s, want)
	}
	*p = percent(n)
	return nil
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (f *factor) UnmarshalYAML(node ast.Node) error {
	const want = "a whole number or a ratio of two, such as 2 or 3/2"
	s, err := scalar(node, want)
	if err != nil {
		return err
	}
	above, below, isRatio := strings.Cut(s, "/")
	if !isRatio {
		below = "1"
	}
	num, errNum := strconv.ParseInt(above, 10, 32)
	den, errDen := strconv.ParseInt(below, 10, 32)
	if errNum != nil || errDen != nil || num < 1 || den < 1 {
		return wrong(node, "%.40q is not a factor: write %s", s, want)
	}
	*f = factor{num, den}
	return nil
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (d *doubt) UnmarshalYAML(node ast.Node) error {
	s, err := scalar(node, "report, hold or retry")
	if err != nil {
		return err
	}
	p, err := spec.ParseInDoubtPolicy(s)
	if err != nil {
		return wrong(node, "%.40q is no policy: write report, hold or retry", s)
	}
	*d = doubt(p)
	return nil
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (l *level) UnmarshalYAML(node ast.Node) error {
	const want = "off, opportunistic, required or verified"
	s, err := scalar(node, want)
	if err != nil {
		return err
	}
	v, err := spec.ParseTLSLevel(s)
	if err != nil {
		return wrong(node, "%.40q is no level: write %s", s, want)
	}
	*l = level(v)
	return nil
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (o *onOff) UnmarshalYAML(node ast.Node) error {
	s, err := scalar(node, "on or off")
	if err == nil && s != "on" && s != "off" {
		err = wrong(node, "%.40q is neither: write on or off", s)
	}
	*o = s == "on"
	return err
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (f *family) UnmarshalYAML(node ast.Node) error {
	s, err := scalar(node, "ipv4 or ipv6")
	if err == nil && s != "ipv4" && s != "ipv6" {
		err = wrong(node, "%.40q is no address family: write ipv4 or ipv6", s)
	}
	*f = family(s)
	return err
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (y *yes) UnmarshalYAML(node ast.Node) error {
	s, err := scalar(node, "true or false")
	if err == nil && s != "true" && s != "false" {
		err = wrong(node, "%.40q is neither true nor false", s)
	}
	*y = s == "true"
	return err
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (f *logFormat) UnmarshalYAML(node ast.Node) error {
	s, err := scalar(node, "text or json")
	if err == nil && s != "text" && s != "json" {
		err = wrong(node, "%.40q is no format: write text or json", s)
	}
	*f = logFormat(s)
	return err
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (l *logLevel) UnmarshalYAML(node ast.Node) error {
	const want = "debug, info, warn or error"
	s, err := scalar(node, want)
	if err != nil {
		return err
	}
	switch s {
	case "debug", "info", "warn", "error":
		return (*slog.Level)(l).UnmarshalText([]byte(s))
	}
	return wrong(node, "%.40q is no level: write %s", s, want)
}
