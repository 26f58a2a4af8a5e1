package flow

import (
	"log/slog"
	"sync/atomic"
)

// Stats counts what one process has done.
type Stats struct {
	Notifications, Ignored, Duplicates, Refused atomic.Int64 // the receiver's

	Jobs, Asked, Skipped          atomic.Int64 // the worker's: jobs taken, requests sent, jobs of sessions with a verdict
	Final, Pending, Conflicts     atomic.Int64 // what came of them
	Later, Returned, Left, Buried atomic.Int64 // try again, not begun, left to the sweep, dead letters
	Pauses                        atomic.Int64 // that this process has asked for

	Swept, Healed atomic.Int64 // the sweep's: sessions asked for, and those that had a verdict already
}

// LogValue returns the counts that are not zero.
func (s *Stats) LogValue() slog.Value {
	var attrs []slog.Attr
	for _, c := range []struct {
		name string
		n    *atomic.Int64
	}{
		{"notifications", &s.Notifications},
		{"ignored", &s.Ignored},
		{"duplicates", &s.Duplicates},
		{"refused", &s.Refused},
		{"jobs", &s.Jobs},
		{"asked", &s.Asked},
		{"skipped", &s.Skipped},
		{"final", &s.Final},
		{"pending", &s.Pending},
		{"conflicts", &s.Conflicts},
		{"later", &s.Later},
		{"returned", &s.Returned},
		{"left", &s.Left},
		{"buried", &s.Buried},
		{"pauses", &s.Pauses},
		{"swept", &s.Swept},
		{"healed", &s.Healed},
	} {
		if n := c.n.Load(); n != 0 {
			attrs = append(attrs, slog.Int64(c.name, n))
		}
	}
	return slog.GroupValue(attrs...)
}
