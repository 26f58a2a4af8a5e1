package flow

import (
	"errors"
	"fmt"
	"time"
)

// Config is how the pipeline behaves. All processes of a pipeline should have the same.
type Config struct {
	Replicas int // of everything that the engine keeps: 1, or 3 in a cluster

	Concurrency   int           // how many sessions a worker asks for at the same time
	MaxAckPending int           // how many jobs all workers together may have, those that wait for another try included
	AckWait       time.Duration // after what silence a worker counts as dead, and its jobs go to others
	MaxDeliveries int           // after how many tries a job is given up

	Backoff      time.Duration // before the second try of a job; doubled for each further one
	MaxBackoff   time.Duration // but never longer than this
	CheckDelay   time.Duration // before a session is asked for because one of its checks is done
	PendingTries int           // of a session that stays pending, before it is left to the sweep
	ConfirmAfter time.Duration // before a session is asked for again that seems to be a hopeless case

	RatePause    time.Duration // of all workers after a 429 that names no time
	RefusedPause time.Duration // of all workers after a 401 or 403 that is not one session's
	MaxPause     time.Duration // however long the service asks for
	Rate         float64       // requests a second for one worker; 0 for no limit

	SweepEvery time.Duration // how often the sweep looks for sessions without a verdict
	SweepAfter time.Duration // how old a session must be for that; doubled each time that it is asked for in vain

	Keep      time.Duration // for how long verdicts and dead letters are kept; a session that is notified later is judged anew
	DrainTime time.Duration // for what is in flight when a process is told to stop
	Raw       bool          // keep the JSON of a session beside its final verdict
}

// Defaults is a configuration for production, on one node.
var Defaults = Config{
	Replicas:      1,
	Concurrency:   16,
	MaxAckPending: 10_000,
	AckWait:       30 * time.Second,
	MaxDeliveries: 1000,
	Backoff:       time.Second,
	MaxBackoff:    time.Minute,
	CheckDelay:    2 * time.Second,
	PendingTries:  6,
	ConfirmAfter:  time.Second,
	RatePause:     time.Second,
	RefusedPause:  30 * time.Second,
	MaxPause:      10 * time.Minute,
	SweepEvery:    time.Minute,
	SweepAfter:    10 * time.Minute,
	Keep:          30 * 24 * time.Hour,
	DrainTime:     10 * time.Second,
}

// Check reports what makes no sense.
func (c Config) Check() error {
	for name, value := range map[string]time.Duration{
		"ack-wait": c.AckWait, "backoff": c.Backoff, "max-backoff": c.MaxBackoff, "confirm-after": c.ConfirmAfter,
		"check-delay": c.CheckDelay,
		"rate-pause":  c.RatePause, "refused-pause": c.RefusedPause, "max-pause": c.MaxPause,
		"sweep-every": c.SweepEvery, "sweep-after": c.SweepAfter, "drain": c.DrainTime, "keep": c.Keep,
	} {
		if value <= 0 {
			return fmt.Errorf("-%s is not positive", name)
		}
	}
	for name, value := range map[string]int{
		"replicas": c.Replicas, "concurrency": c.Concurrency, "max-ack-pending": c.MaxAckPending,
		"max-deliveries": c.MaxDeliveries, "pending-tries": c.PendingTries,
	} {
		if value <= 0 {
			return fmt.Errorf("-%s is not positive", name)
		}
	}
	if c.Rate < 0 {
		return errors.New("-rate is negative")
	}
	return nil
}
