package main

import (
	"time"

	"github.com/postonce/postonce/spec"
)

// connections is how connections are used for more than one message.
type connections struct {
	Messages           count    `yaml:"messages"`
	Age                duration `yaml:"age"`
	Idle               duration `yaml:"idle"`
	Kept               count    `yaml:"kept"`
	KeptPerDestination count    `yaml:"kept_per_destination"`
}

func defaultConnections() connections {
	r := spec.DefaultReuse()
	return connections{count(r.Messages), duration(r.Age), duration(r.Idle), count(r.Kept), count(r.KeptPerDestination)}
}

func (c connections) policy() spec.Reuse {
	return spec.Reuse{
		Messages: int(c.Messages), Age: time.Duration(c.Age), Idle: time.Duration(c.Idle),
		Kept: int(c.Kept), KeptPerDestination: int(c.KeptPerDestination),
	}
}

// connections adds what is wrong with them. Each bound is looked at by itself,
// among the defaults, but the age among what is given.
func (k *checker) connections() {
	given := k.config.Connections.policy()
	for _, one := range []struct {
		name  string
		reuse spec.Reuse
	}{
		{"messages", spec.Reuse{Messages: given.Messages, Age: time.Hour, Idle: time.Hour}},
		{"age", spec.Reuse{Messages: 1, Age: given.Age, Idle: given.Idle}},
	} {
		if err := one.reuse.Validate(); err != nil {
			k.at(key("connections", one.name), err)
		}
	}
}
