package scenarios

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// Ending is how the name of a scenario file ends.
const Ending = ".txtar"

// root is where the library lies in this package's directory.
const root = "library"

//go:embed library
var library embed.FS

// Names returns the names of the library's scenarios, such as
// "dot/lost-reply-report", in order.
func Names() []string {
	var names []string
	// Walking an embedded tree cannot fail, and goes in lexical order.
	_ = fs.WalkDir(library, root, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, Ending) {
			names = append(names, storyName(path))
		}
		return err
	})
	return names
}

// All returns every scenario of the library, in the order of Names. The error
// joins those of all files that Parse refuses.
func All() ([]*Scenario, error) {
	var all []*Scenario
	var errs []error
	for _, name := range Names() {
		s, err := Load(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, s)
	}
	return all, errors.Join(errs...)
}

// Ready is All without the scenarios that need what the relay does not have yet.
func Ready() ([]*Scenario, error) {
	all, err := All()
	return slices.DeleteFunc(all, func(s *Scenario) bool { return len(s.NotYet()) > 0 }), err
}

// Load returns the scenario at path: a file when path ends in ".txtar", else
// the one of the library that has this name.
func Load(path string) (*Scenario, error) {
	if strings.HasSuffix(path, Ending) {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		return Parse(path, data)
	}
	file := root + "/" + path + Ending
	data, err := library.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the library has no scenario %q: %s", path, hint(path, Names()))
	}
	return Parse("scenarios/"+file, data)
}
