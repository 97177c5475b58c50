package sim

import (
	"bytes"
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// submitDomain is the domain of the Message-IDs that the world gives.
const submitDomain = "submit.example"

// mailNames knows the messages of the plan by all their names.
type mailNames struct {
	// content is what is submitted, by the plan's name.
	content map[string][]byte
	ids     map[string]string
	// raw are those that are submitted byte for byte.
	raw map[string]bool
	// queue is the relay's latest queue ID, by Message-ID.
	queue map[string]spec.QueueID
}

func newMailNames(sc *scenarios.Scenario) mailNames {
	m := mailNames{content: map[string][]byte{}, ids: map[string]string{}, queue: map[string]spec.QueueID{}, raw: map[string]bool{}}
	for _, given := range sc.Messages {
		m.content[given.Name], m.raw[given.Name] = given.Content, given.Raw
	}
	for _, s := range sc.Plan {
		if s.Kind != scenarios.StepSubmit {
			continue
		}
		id := s.Message + "@" + submitDomain
		content, given := m.content[s.Message]
		if !given {
			content = standardContent(s, id)
		} else if own := messageID(content); own != "" {
			id = own
		} else {
			content = append([]byte("Message-ID: <"+id+">\r\n"), content...)
		}
		m.content[s.Message], m.ids[s.Message] = content, id
	}
	return m
}

// id returns the Message-ID of a message of the plan.
func (m mailNames) id(name string) string { return m.ids[name] }

// stored learns a queue ID.
func (m mailNames) stored(f *spec.Fact) { m.queue[f.Message] = f.Queue }

// isAbout reports whether a fact is about a message of the plan.
func (m mailNames) isAbout(f *spec.Fact, name string) bool {
	id := m.ids[name]
	return f.Message == id && id != "" || f.Queue != "" && f.Queue == m.queue[id]
}

// standardContent is the content of a message that the file says nothing of. It is
// ASCII: who is beyond it, stands in the envelope alone.
func standardContent(s scenarios.Step, id string) []byte {
	from := s.Sender
	if from == "" {
		from = "mailer-daemon@" + submitDomain
	}
	const shown = 3
	named := slices.DeleteFunc(slices.Clone(s.Recipients[:min(len(s.Recipients), shown)]), spec.UTF8Local)
	for i, address := range named {
		named[i] = inALabels(address)
	}
	to := strings.Join(named, ",\r\n ")
	if to == "" {
		to = "undisclosed-recipients:;"
	}
	if from = inALabels(from); spec.UTF8Local(from) {
		from = "somebody@" + submitDomain
	}
	content := fmt.Appendf(nil, "Message-ID: <%s>\r\nDate: Sat, 1 Jan 2000 00:00:00 +0000\r\nFrom: <%s>\r\nTo: %s\r\nSubject: %s\r\n\r\nThis is %s.\r\n",
		id, from, to, s.Message, s.Message)
	for n := 1; int64(len(content)) < s.Size; n++ {
		content = fmt.Appendf(content, "Line %d of much that is to be said.\r\n", n)
	}
	return content
}

// inALabels returns an address with its domain in A-labels.
func inALabels(address string) string {
	at := strings.LastIndexByte(address, '@') + 1
	domain, _ := spec.ALabels(address[at:])
	return address[:at] + domain
}

// messageID returns the Message-ID of a content without angle brackets, empty
// when it has none or is no mail.
func messageID(content []byte) string {
	m, err := mail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(m.Header.Get("Message-Id")), "<"), ">")
}

// path is an envelope address as facts show it.
func path(address string) string {
	if address == "" {
		return "<>"
	}
	return address
}
