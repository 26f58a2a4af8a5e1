package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface/e2e/internal/browser"
)

// A page is a tab that can be opened again without waiting for all of it.
type page struct{ *browser.Page }

// start opens the page anew and returns when it has begun.
func (p *page) start(t *testing.T) {
	t.Helper()
	require.NoError(t, p.Reload())
}

// reload opens the page anew and returns when there is content, with or without its faces.
func (p *page) reload(t *testing.T) {
	t.Helper()
	require.NoError(t, p.Reload())
	until(t, p.Page, `document.querySelector(".arrived")`)
}
