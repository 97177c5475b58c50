package postonce_test

import (
	"testing"

	"github.com/postonce/postonce/internal/house"
)

// TestHouse holds the repository against the rules of internal/house.
func TestHouse(t *testing.T) {
	tree, err := house.Load(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range house.Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			found, err := rule.Check(tree)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				t.Error(f)
			}
		})
	}
}
