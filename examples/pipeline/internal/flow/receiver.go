package flow

import (
	"context"
	"net/http"

	"github.com/yotiface/yotiface"
)

// Receiver returns the handler that notifications are sent to. It answers 200 when the engine has the job, and 500 where
// it could not take it, so that Yoti may send the notification again; if it does not, the sweep comes to the session.
func (q *Queue) Receiver(auth yotiface.NotificationAuth, stats *Stats) http.Handler {
	return yotiface.NewNotificationHandler(auth, func(ctx context.Context, n yotiface.Notification) error {
		stats.Notifications.Add(1)
		if !decides(n.Topic) {
			stats.Ignored.Add(1)
			return nil
		}
		duplicate, err := q.Publish(ctx, Job{SessionID: n.SessionID, Topic: string(n.Topic), CheckID: n.CheckID})
		switch {
		case err != nil:
			stats.Refused.Add(1)
			q.log.ErrorContext(ctx, "a notification is lost, unless it is sent again", "error", err)
		case duplicate:
			stats.Duplicates.Add(1)
		}
		return err
	})
}
