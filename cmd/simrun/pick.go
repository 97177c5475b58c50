package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pmezard/go-difflib/difflib"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim/search"
)

// A pick is a scenario that was asked for, and by which word: a path, a name or
// a seed.
type pick struct {
	scenario *scenarios.Scenario
	word     string
	file     string
	// broken is why the file could not be read; the scenario then has only
	// its name.
	broken error
	// rewrite is true when the golden trace in the file is to be renewed.
	rewrite bool
}

// pickAll returns the scenarios that words ask for, in their order; no words
// ask for the library. A file that is broken is an error. Those that need what
// the relay does not have yet are left out.
func pickAll(words []string) ([]pick, error) { return runnable(whole(gather(words))) }

// runnable leaves out what needs something that the relay does not have yet; when
// nothing is left, that is an error.
func runnable(picks []pick, err error) ([]pick, error) {
	var can []pick
	for _, p := range picks {
		if len(p.scenario.NotYet()) == 0 {
			can = append(can, p)
		}
	}
	if err == nil && len(can) == 0 && len(picks) > 0 {
		err = fmt.Errorf("the relay does not have yet what %s needs: %s", picks[0].word, show.NotYet(picks[0].scenario))
	}
	return can, err
}

// gather is pickAll that returns broken files too, as what they are. A scenario
// that is asked for twice comes once.
func gather(words []string) ([]pick, error) {
	if len(words) == 0 {
		return lookUp("")
	}
	var all []pick
	var errs []error
	seen := map[string]bool{}
	for _, word := range words {
		if word == "" {
			errs = append(errs, errors.New("an empty name names nothing: leave it out for the whole library"))
			continue
		}
		picks, err := lookUp(word)
		errs = append(errs, err)
		for _, p := range picks {
			if key := filepath.Clean(p.file); !seen[key] {
				seen[key] = true
				all = append(all, p)
			}
		}
	}
	return all, errors.Join(errs...)
}

// whole makes broken files errors.
func whole(picks []pick, err error) ([]pick, error) {
	errs := []error{err}
	var all []pick
	for _, p := range picks {
		if errs = append(errs, p.broken); p.broken == nil {
			all = append(all, p)
		}
	}
	return all, errors.Join(errs...)
}

// find returns what one word asks for: a scenario or theme of the library, a
// file, or all files in a directory. The empty word asks for the library.
func find(word string) ([]pick, error) { return whole(lookUp(word)) }

// lookUp is find that returns broken files too.
func lookUp(word string) ([]pick, error) {
	if strings.HasSuffix(word, scenarios.Ending) {
		if _, err := os.Stat(word); errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return load([]string{word}), nil
	}
	if number, ok := strings.CutPrefix(word, randomPrefix); ok {
		return random(number)
	}
	if names := namesOf(word); len(names) > 0 {
		return load(names), nil
	}
	if info, err := os.Stat(word); err == nil && info.IsDir() {
		return findIn(word)
	}
	return nil, noSuch(word)
}

// namesOf returns the names of the library that a word asks for.
func namesOf(word string) []string {
	var names []string
	theme := strings.TrimSuffix(word, "/")
	for _, name := range scenarios.Names() {
		if name == word || word == "" || strings.HasPrefix(name, theme+"/") {
			names = append(names, name)
		}
	}
	return names
}

// noSuch says that a word names nothing, and what may have been meant.
func noSuch(word string) error {
	return fmt.Errorf("there is no scenario, theme or directory %q%s\n\tsimrun list shows the library; the name of a file ends in %s",
		word, meant(word, themesAndNames()), scenarios.Ending)
}

// themesAndNames returns what can be asked for by name, themes first.
func themesAndNames() []string {
	var themes []string
	names := scenarios.Names()
	for _, name := range names {
		if theme, _ := show.Split(name); !slices.Contains(themes, theme) {
			themes = append(themes, theme)
		}
	}
	return append(themes, names...)
}

// randomPrefix begins the name of a random world.
const randomPrefix = "world/"

// random returns a random world by its number.
func random(number string) ([]pick, error) {
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is not the number of a random world: write world/123, as simrun explore names them", number)
	}
	return []pick{numbered(n)}, nil
}

// numbered is a random world.
func numbered(n uint64) pick {
	sc := search.World(search.Number(n))
	return pick{scenario: sc, word: sc.Name}
}

// findIn returns the scenarios of all files below a directory.
func findIn(dir string) ([]pick, error) {
	files, errs := filesIn(dir)
	if len(files)+len(errs) == 0 {
		return nil, noneBelow(dir)
	}
	all := load(files)
	for _, err := range errs {
		name := dir
		var at *fs.PathError
		if errors.As(err, &at) {
			name = at.Path
		}
		all = append(all, pick{scenario: &scenarios.Scenario{Name: filepath.ToSlash(name)}, word: name, file: name, broken: err})
	}
	return all, nil
}

// noneBelow says that a directory holds no scenario.
func noneBelow(dir string) error {
	return fmt.Errorf("there is no file that ends in %s below %s", scenarios.Ending, dir)
}

// filesIn lists the scenario files below a directory, in lexical order, and the
// errors of directories that cannot be read.
func filesIn(dir string) (files []string, errs []error) {
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			errs = append(errs, err)
		case !entry.IsDir() && strings.HasSuffix(path, scenarios.Ending):
			files = append(files, path)
		}
		return nil // go on with what can be read
	})
	return files, errs
}

// load loads scenarios by path or name.
func load(words []string) []pick {
	all := make([]pick, len(words))
	for i, word := range words {
		s, err := scenarios.Load(word)
		if err != nil {
			why, _, _ := strings.Cut(err.Error(), "\n")
			s = &scenarios.Scenario{Name: strings.TrimSuffix(filepath.ToSlash(word), scenarios.Ending), Title: why, Prose: err.Error()}
		}
		all[i] = pick{scenario: s, word: word, file: fileOf(word), broken: err}
	}
	return all
}

// fileOf returns the path of a scenario's file, in the repository for a name of
// the library.
func fileOf(word string) string {
	if strings.HasSuffix(word, scenarios.Ending) {
		return word
	}
	return "scenarios/library/" + word + scenarios.Ending
}

// seeded returns the world of a seed: the library's scenarios take turns, and
// the seed decides what the scenario leaves open.
func seeded(library []*scenarios.Scenario, seed uint64) pick {
	s := *library[seed%uint64(len(library))]
	s.Seed, s.Trace = seed, nil // the golden trace is that of the file's own seed
	return pick{scenario: &s, word: strconv.FormatUint(seed, 10), file: fileOf(s.Name)}
}

// meant suggests what was meant by a word that is no choice; empty when
// nothing is near.
func meant(word string, choices []string) string {
	var best []string
	for _, choice := range choices {
		if word != "" && strings.Contains(choice, word) {
			best = append(best, choice)
		}
	}
	// Of names that hold the word, the shortest is nearest.
	slices.SortStableFunc(best, func(a, b string) int { return len(a) - len(b) })
	if len(best) == 0 {
		best = near(word, choices)
	}
	const few = 4
	best = best[:min(len(best), few)]
	if len(best) == 0 {
		return ""
	}
	return ": did you mean " + strings.Join(best, ", ") + "?"
}

// near returns the choices that share most letters with a word, nearest first.
func near(word string, choices []string) []string {
	const enough = 0.6
	type scored struct {
		choice string
		ratio  float64
	}
	var found []scored
	for _, choice := range choices {
		ratio := difflib.NewMatcher(strings.Split(word, ""), strings.Split(choice, "")).Ratio()
		if ratio >= enough {
			found = append(found, scored{choice, ratio})
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int { return cmp.Compare(b.ratio, a.ratio) })
	var names []string
	for _, f := range found {
		names = append(names, f.choice)
	}
	return names
}
