package spec

import (
	"fmt"
	"strings"
)

// A Reply is one complete SMTP reply (RFC 5321 section 4.2).
type Reply struct {
	// Code is the three-digit code, 200 to 599.
	Code int
	// Enhanced is the enhanced status code of RFC 3463, such as "4.7.1";
	// empty when the reply carries none.
	Enhanced string
	// Lines is the text of every line, without code and enhanced code.
	Lines []string
}

// Class is the first digit of the code: 2, 3, 4 or 5.
func (r Reply) Class() int { return r.Code / 100 }

// Text joins the lines of text with a space.
func (r Reply) Text() string { return strings.Join(r.Lines, " ") }

// String formats the reply on one line, as it stands in logs and reports.
func (r Reply) String() string {
	if r.Code == 0 {
		return ""
	}
	parts := []string{fmt.Sprint(r.Code)}
	if r.Enhanced != "" {
		parts = append(parts, r.Enhanced)
	}
	if t := r.Text(); t != "" {
		parts = append(parts, t)
	}
	return strings.Join(parts, " ")
}
