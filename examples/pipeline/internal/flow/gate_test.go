package flow

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPauseIsEverybodys(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	one, two := newGate(t.Context(), l.Queue, l.stats), newGate(t.Context(), l.Queue, l.stats)
	require.True(t, two.wait(t.Context()), "no pause yet")
	open, cancel := two.open(t.Context())
	defer cancel()

	began := time.Now()
	one.Pause(t.Context(), 500*time.Millisecond, "a test")
	select {
	case <-open.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("the other gate stays open")
	}
	one.Pause(t.Context(), time.Millisecond, "a shorter one changes nothing")
	require.True(t, two.wait(t.Context()))
	assert.GreaterOrEqual(t, time.Since(began), 500*time.Millisecond)

	// Whoever comes later knows of it too, and nobody waits longer than MaxPause.
	two.Pause(t.Context(), 24*time.Hour, "too long")
	three := newGate(t.Context(), l.Queue, l.stats)
	assert.Positive(t, three.left())
	assert.LessOrEqual(t, three.left(), quick.MaxPause)
	shut, cancel := three.open(t.Context())
	defer cancel()
	assert.Error(t, shut.Err())
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	assert.False(t, three.wait(ctx))
}
