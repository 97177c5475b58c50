package spec

import "testing"

func TestEveryFaultHasAPlaceAndANameOfItsOwn(t *testing.T) {
	seen := map[Fault]bool{}
	for _, f := range Faults() {
		if f.Place() == 0 || seen[f] {
			t.Errorf("%q has place %d, and was seen before: %v", f, f.Place(), seen[f])
		}
		seen[f] = true
	}
	if Fault("odd").Place() != 0 {
		t.Error("what is no fault has a place")
	}
}

// A fault of the DNS, of a connection that was never made, or of the disk keeps no reply from anybody; what has no kind may have.
func TestAFaultElsewhereExcusesNothing(t *testing.T) {
	for _, f := range Faults() {
		fact := Fact{Kind: FactFault, Faults: []Fault{f}}
		elsewhere := f.Place() == PlaceConnect || f.Place() == PlaceDNS || f.Place() == PlaceDisk || f.Place() == PlaceClock || f == FaultStore
		if want := !elsewhere; fact.touchesSessions() != want {
			t.Errorf("%s touches connections: %v, want %v", f, !want, want)
		}
	}
	if unknown := (Fact{Kind: FactFault}); !unknown.touchesSessions() {
		t.Error("a fault without a kind touches nothing")
	}
}
