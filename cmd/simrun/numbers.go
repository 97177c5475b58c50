package main

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

// seedFlag gives a command a flag that takes a seed: any number that one can be.
func seedFlag(cmd *cobra.Command, at *uint64, name, usage string) {
	cmd.Flags().Var(wholeNumber[uint64]{at, "seed", "a seed is"}, name, usage)
}

// numberFlag gives a command a flag that takes a whole number.
func numberFlag[N int | uint64](cmd *cobra.Command, at *N, name string, standard N, usage string) {
	*at = standard
	cmd.Flags().Var(wholeNumber[N]{at, "number", "write"}, name, usage)
}

// A wholeNumber is the value of a flag that takes a whole number.
type wholeNumber[N int | uint64] struct {
	at *N
	// kind names the value in help texts; wanted begins what its errors say.
	kind, wanted string
}

// Set takes a number.
func (w wholeNumber[N]) Set(text string) error {
	most := uint64(math.MaxUint64)
	if _, signed := any(*w.at).(int); signed {
		most = math.MaxInt
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > most {
		return fmt.Errorf("%s a whole number from 0 to %d", w.wanted, most)
	}
	*w.at = N(n)
	return nil
}

// String is what help texts show as the default.
func (w wholeNumber[N]) String() string {
	if w.at == nil {
		return "0"
	}
	return strconv.FormatUint(uint64(*w.at), 10)
}

// Type names the value in help texts.
func (w wholeNumber[N]) Type() string { return w.kind }

// A lasting is the value of a flag that says for how long something goes on.
type lasting time.Duration

// Set takes any time there is.
func (l *lasting) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return fmt.Errorf("write how long, such as 90s, 10m or 1h30m")
	}
	*l = lasting(d)
	return nil
}

// String is empty for none, so that help texts show no default.
func (l *lasting) String() string {
	if *l == 0 {
		return ""
	}
	return time.Duration(*l).String()
}

// Type names the value in help texts.
func (l *lasting) Type() string { return "duration" }
