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

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim/search"
)

// A pick is a scenario that was asked for, and by which word: a path, a name or
// a seed.
type pick struct {
	scenario *scenarios.Scenario
	word     string
	file     string
}

// pickAll returns the scenarios that words ask for, in their order; no words
// ask for the library.
func pickAll(words []string) ([]pick, error) {
	if len(words) == 0 {
		words = []string{""}
	}
	var all []pick
	var errs []error
	for _, word := range words {
		picks, err := find(word)
		all = append(all, picks...)
		errs = append(errs, err)
	}
	return all, errors.Join(errs...)
}

// find returns what one word asks for: a scenario or theme of the library, a
// file, or all files in a directory. The empty word asks for the library.
func find(word string) ([]pick, error) {
	if strings.HasSuffix(word, scenarios.Ending) {
		return load([]string{word})
	}
	if number, ok := strings.CutPrefix(word, "world/"); ok {
		return random(number)
	}
	var names []string
	theme := strings.TrimSuffix(word, "/")
	for _, name := range scenarios.Names() {
		if name == word || word == "" || strings.HasPrefix(name, theme+"/") {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		return load(names)
	}
	if info, err := os.Stat(word); err == nil && info.IsDir() {
		return findIn(word)
	}
	return nil, fmt.Errorf("there is no scenario, theme or directory %q%s\n\tsimrun list shows the library; the name of a file ends in %s",
		word, meant(word, scenarios.Names()), scenarios.Ending)
}

// random returns a random world by its number.
func random(number string) ([]pick, error) {
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is not the number of a random world: write world/123, as simrun explore names them", number)
	}
	sc := search.World(search.Number(n))
	return []pick{{scenario: sc, word: sc.Name}}, nil
}

// findIn returns the scenarios of all files below a directory.
func findIn(dir string) ([]pick, error) {
	files, err := filesIn(dir)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there is no file that ends in %s below %s", scenarios.Ending, dir)
	}
	return load(files)
}

// filesIn lists the scenario files below a directory, in lexical order.
func filesIn(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, scenarios.Ending) {
			files = append(files, path)
		}
		return err
	})
	return files, err
}

// load loads scenarios by path or name.
func load(words []string) ([]pick, error) {
	var all []pick
	var errs []error
	for _, word := range words {
		s, err := scenarios.Load(word)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, pick{s, word, fileOf(word)})
	}
	return all, errors.Join(errs...)
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
	s.Seed = seed
	return pick{&s, strconv.FormatUint(seed, 10), fileOf(s.Name)}
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
