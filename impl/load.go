package impl

import (
	"errors"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// load reads what the core asks for.
func (r *Relay) load(l queue.Load) queue.Loaded {
	out := queue.Loaded{Load: l}
	switch l.Kind {
	case queue.LoadIntents:
		out.Err = r.loadIntents(l, &out)
	case queue.LoadWriting:
		out.Err = r.loadWriting(l, &out)
	case queue.LoadDestinations:
		if l.After == "" {
			out.Paused, out.Err = r.paused()
		}
		if out.Err == nil {
			out.Err = r.loadDestinations(l, &out)
		}
	case queue.LoadGroups:
		out.Err = r.loadGroups(l, &out)
	case queue.LoadMessage:
		out.Err = r.loadEntry(l.ID, &out)
	}
	return out
}

// loadEntry adds a message's control entry to out, if there is one.
func (r *Relay) loadEntry(id spec.QueueID, out *queue.Loaded) error {
	value, err := r.host.Store.Get(seam.ControlKey(id))
	if err != nil && !errors.Is(err, seam.ErrNotFound) {
		return err
	}
	out.Entries = append(out.Entries, queue.Raw{ID: id, Value: value})
	return nil
}

func (r *Relay) loadIntents(l queue.Load, out *queue.Loaded) error {
	keys, err := r.host.Store.Scan(seam.SpaceIntent, "", l.After, l.Limit)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if err := r.loadEntry(spec.QueueID(k.Key.Name), out); err != nil {
			return err
		}
	}
	out.More = len(keys) == l.Limit
	return nil
}

func (r *Relay) loadWriting(l queue.Load, out *queue.Loaded) error {
	keys, err := r.host.Store.Scan(seam.SpaceWriting, "", l.After, l.Limit)
	if err != nil {
		return err
	}
	for _, k := range keys {
		id := spec.QueueID(k.Key.Name)
		out.Entries = append(out.Entries, queue.Raw{ID: id})
		for n := 0; ; n++ {
			key := seam.ChunkKey(id, n)
			if _, err := r.host.Store.Get(key); errors.Is(err, seam.ErrNotFound) {
				break
			} else if err != nil {
				return err
			}
			out.Chunks = append(out.Chunks, key)
		}
	}
	out.More = len(keys) == l.Limit
	return nil
}

// loadDestinations skips through the index from lane to lane.
func (r *Relay) loadDestinations(l queue.Load, out *queue.Loaded) error {
	after := l.After
	for len(out.Groups)+len(out.Unread) < l.Limit {
		keys, err := r.host.Store.Scan(seam.SpaceDue, "", after, 1)
		if err != nil || len(keys) == 0 {
			return err
		}
		line, err := queue.ParseWaiting(keys[0].Key.Name)
		if err != nil {
			after = keys[0].Key.Name
			out.Unread = append(out.Unread, after)
			continue
		}
		out.Groups = append(out.Groups, line)
		after = queue.AfterLane(line.Destination, line.Lane)
	}
	out.More = true
	return nil
}

// paused reads which destinations an operator has paused: no more than somebody
// named one by one.
func (r *Relay) paused() (dests []string, err error) {
	const page = 256
	for after := ""; ; after = dests[len(dests)-1] {
		keys, err := r.host.Store.Scan(seam.SpacePaused, "", after, page)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			dests = append(dests, k.Key.Name)
		}
		if len(keys) < page {
			return dests, nil
		}
	}
}

func (r *Relay) loadGroups(l queue.Load, out *queue.Loaded) error {
	keys, err := r.host.Store.Scan(seam.SpaceDue, queue.LanePrefix(l.Destination, l.Lane), l.After, l.Limit+1)
	if err != nil {
		return err
	}
	for _, k := range keys {
		line, err := queue.ParseWaiting(k.Key.Name)
		if err != nil {
			out.Unread = append(out.Unread, k.Key.Name)
			continue
		}
		if line.Lane != l.Lane {
			return nil // what has no lane stands before what has
		}
		if len(out.Groups) == l.Limit {
			out.More, out.Next = true, line.Due
			break
		}
		out.Groups = append(out.Groups, line)
		if err := r.loadEntry(line.ID, out); err != nil {
			return err
		}
	}
	if len(keys) > l.Limit && !out.More {
		out.More = true // one line less, and the next read shows when it is due
	}
	return nil
}
