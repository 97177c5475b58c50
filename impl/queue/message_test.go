package queue

import (
	"slices"
	"testing"
)

func TestOneMailboxInTwoSpellingsIsOneRecipient(t *testing.T) {
	r := started(t, nil)
	r.queued("m1", "bob@x.test", "bob@X.Test", "Bob@x.test")
	if want := []string{"bob@x.test", "Bob@x.test"}; !slices.Equal(r.begun().To, want) {
		t.Errorf("the attempt is for %q, want %q: domains do not depend on case, local-parts do", r.begun().To, want)
	}
}
