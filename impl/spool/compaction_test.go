package spool

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/postonce/postonce/spec/seam"
)

// TestTablesAreCompacted: a spool that is flushed again and again does not pile
// up tables, also after it was opened with some already there.
func TestTablesAreCompacted(t *testing.T) {
	disk := vfs.NewMem()
	for range 3 {
		s, err := Open("spool", Options{FS: disk})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			if err := s.Write([]seam.Op{
				{Key: seam.Key{Space: seam.SpaceControl, Name: "a"}, Value: fmt.Append(nil, i)},
				{Key: seam.Key{Space: seam.SpaceControl, Name: "z"}, Value: fmt.Append(nil, i)},
			}); err != nil {
				t.Fatal(err)
			}
			if err := s.db.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.db.Metrics().Levels[0].TablesCount; n > 12 {
			t.Errorf("%d tables have piled up", n)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
