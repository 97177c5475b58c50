package impl

import "testing"

// TestAHeaderThatIsCutEndsWithAWholeField: a report that quotes half of a field
// quotes what nobody has written.
func TestAHeaderThatIsCutEndsWithAWholeField(t *testing.T) {
	for _, c := range []struct{ name, header, want string }{
		{"within a line", "A: 1\r\nB: 2\r\nMessage-ID: <m1", "A: 1\r\nB: 2\r\n"},
		{"between lines", "A: 1\r\nB: 2\r\n", "A: 1\r\n"},
		{"within a folded field", "A: 1\r\nB: 2\r\n 3\r\n\t4", "A: 1\r\n"},
		{"between CR and LF", "A: 1\r\nB: 2\r", "A: 1\r\n"},
		{"within the first field", "A: 1\r\n 2", ""},
		{"at once", "", ""},
	} {
		if got := string(wholeFields([]byte(c.header))); got != c.want {
			t.Errorf("%s: %q of %q is quoted, want %q", c.name, got, c.header, c.want)
		}
	}
}
