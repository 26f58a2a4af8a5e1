package browser

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

const axeVersion = "4.14.1" // as install.sh has it

var axeScript = sync.OnceValues(func() (string, error) {
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		cache = filepath.Join(home, ".cache")
	}
	script, err := os.ReadFile(filepath.Join(cache, "yotiface-e2e", "axe-core-"+axeVersion, "axe.min.js")) //nolint:gosec // G304: it is a script to run
	if err != nil {
		return "", errors.New("axe-core is not installed: run e2e/install.sh")
	}
	return string(script), nil
})

// Audit returns what axe-core finds wrong with the page as it is.
func (p *Page) Audit() (findings []string, err error) {
	script, err := axeScript()
	if err != nil {
		return nil, err
	}
	if _, err := Eval[int](p, script+"; 0"); err != nil {
		return nil, err
	}
	found, err := Eval[[]struct {
		ID    string `json:"id"`
		Help  string `json:"help"`
		Nodes []struct {
			Target []any  `json:"target"`
			Why    string `json:"failureSummary"`
		} `json:"nodes"`
	}](p, `Promise.all(document.getAnimations().filter((a) => a instanceof CSSTransition).map((a) => a.finished))
		.then(() => axe.run(document, {resultTypes: ["violations"], preload: false, iframes: false})).then((r) => r.violations)`)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		for _, n := range f.Nodes {
			findings = append(findings, fmt.Sprintf("%s (%s) at %v: %s", f.ID, f.Help, n.Target, strings.ReplaceAll(n.Why, "\n", " ")))
		}
	}
	return findings, nil
}
