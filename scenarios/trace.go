package scenarios

import (
	"fmt"

	"golang.org/x/tools/txtar"
)

// WithTrace returns the scenario file data, whose name is for errors, with
// trace as its golden trace. All else stays as it is, byte by byte. A file that
// has no trace section is refused: not every story is about every fact.
func WithTrace(name string, data, trace []byte) ([]byte, error) {
	archive := txtar.Parse(data)
	found := false
	for i := range archive.Files {
		if archive.Files[i].Name == "trace" {
			archive.Files[i].Data = trace
			found = true
		}
	}
	if !found {
		return nil, fmt.Errorf("%s has no trace section: add a line -- trace -- at its end", name)
	}
	out := txtar.Format(archive)
	if len(out) > MaxBytes {
		return nil, fmt.Errorf("%s: with its trace the file has %d bytes, more than %d", name, len(out), MaxBytes)
	}
	return out, nil
}
