package main

import (
	"fmt"
	"strconv"
)

// A seedValue is the value of a flag that takes a seed.
type seedValue uint64

// Set takes any number that a seed can be.
func (s *seedValue) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return fmt.Errorf("a seed is a whole number from 0 to %d", uint64(1<<64-1))
	}
	*s = seedValue(n)
	return nil
}

// String is what help texts show as the default.
func (s *seedValue) String() string { return strconv.FormatUint(uint64(*s), 10) }

// Type names the value in help texts.
func (s *seedValue) Type() string { return "seed" }
