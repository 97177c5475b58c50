package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == workerArg {
		worker()
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	colour := os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	dir, _ := os.Getwd() // without one, the program goes by its name
	status := execute(ctx, console{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, now: time.Now, run: runWorlds, search: searchAll,
		paint: colour && isTerminal(os.Stdout), live: isTerminal(os.Stderr), asks: isTerminal(os.Stdin) && isTerminal(os.Stderr), program: startedAs(os.Args[0], dir),
	}, os.Args[1:])
	stop()
	os.Exit(int(status))
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
