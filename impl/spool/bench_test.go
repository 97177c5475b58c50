package spool

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/postonce/postonce/spec/seam"
)

// BenchmarkApply measures a batch as the relay makes them, three entries of
// 300 bytes, until it is durable, on the disk of the temporary directory.
func BenchmarkApply(b *testing.B) {
	for _, callers := range []int{1, 64, 400} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			store, err := Open(b.TempDir(), Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close()
			value := bytes.Repeat([]byte("v"), 300)
			turns := make(chan int)
			var all sync.WaitGroup
			for range callers {
				all.Go(func() {
					said := make(chan error, 1)
					for n := range turns {
						id := fmt.Sprintf("%08x", n)
						store.Apply([]seam.Op{
							{Key: seam.Key{Space: seam.SpaceControl, Name: id}, Value: value},
							{Key: seam.Key{Space: seam.SpaceBody, Name: id + "/00000000"}, Value: value},
							{Key: seam.Key{Space: seam.SpaceDue, Name: "example.net\x00" + id}, Value: value},
						}, func(err error) { said <- err })
						if err := <-said; err != nil {
							b.Error(err)
						}
					}
				})
			}
			b.ResetTimer()
			for n := range b.N {
				turns <- n
			}
			close(turns)
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "batches/s")
		})
	}
}

// BenchmarkLife measures the whole life of a message: it comes to exist, its
// intent is stored, and its outcome removes it; each a synced batch.
func BenchmarkLife(b *testing.B) {
	for _, messages := range []int{1, 64, 400} {
		b.Run(fmt.Sprintf("messages=%d", messages), func(b *testing.B) {
			store, err := Open(b.TempDir(), Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close()
			value := bytes.Repeat([]byte("v"), 300)
			turns := make(chan int)
			var all sync.WaitGroup
			for range messages {
				all.Go(func() {
					said := make(chan error, 1)
					for n := range turns {
						for _, ops := range life(fmt.Sprintf("%08x", n), value) {
							store.Apply(ops, func(err error) { said <- err })
							if err := <-said; err != nil {
								b.Error(err)
							}
						}
					}
				})
			}
			b.ResetTimer()
			for n := range b.N {
				turns <- n
			}
			close(turns)
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// life returns the three batches of a message that is delivered at once.
func life(id string, value []byte) [][]seam.Op {
	control := seam.Key{Space: seam.SpaceControl, Name: id}
	body := seam.Key{Space: seam.SpaceBody, Name: id + "/00000000"}
	due := seam.Key{Space: seam.SpaceDue, Name: "example.net\x00" + id}
	intent := seam.Key{Space: seam.SpaceIntent, Name: id}
	return [][]seam.Op{
		{{Key: control, Value: value}, {Key: body, Value: value}, {Key: due}},
		{{Key: control, Value: value}, {Key: intent}},
		{{Key: control, Delete: true}, {Key: body, Delete: true}, {Key: due, Delete: true}, {Key: intent, Delete: true}},
	}
}
