#!/usr/bin/env bash
# Installs what the browser tests need and Go does not bring: Chromium and fonts from the system's packages, and axe-core,
# the accessibility checks, from npm. Nothing of it goes into the tree. Run again, it does nothing.
# Usage: bash e2e/install.sh       (as root, or where sudo works, if Chromium is missing)
set -euo pipefail

AXE_VERSION=4.14.1
AXE_SHA256=29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c

cache=${XDG_CACHE_HOME:-$HOME/.cache}/yotiface-e2e
axe=$cache/axe-core-$AXE_VERSION/axe.min.js # where the tests look for it: internal/browser/axe.go

as_root() {
	if [[ $EUID -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

export DEBIAN_FRONTEND=noninteractive
if ! command -v chromium chromium-browser google-chrome >/dev/null 2>&1; then
	as_root apt-get update -qq
	as_root apt-get install -y -qq --no-install-recommends chromium fonts-liberation fonts-noto-core >/dev/null
fi

if ! sha256sum --status --check <<<"$AXE_SHA256  $axe" 2>/dev/null; then
	command -v npm >/dev/null 2>&1 || as_root apt-get install -y -qq --no-install-recommends npm >/dev/null
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix "$tmp" "axe-core@$AXE_VERSION"
	sha256sum --quiet --check <<<"$AXE_SHA256  $tmp/node_modules/axe-core/axe.min.js"
	mkdir -p "$(dirname "$axe")"
	mv "$tmp/node_modules/axe-core/axe.min.js" "$axe"
fi

echo "$(chromium --version 2>/dev/null || echo Chromium is installed), axe-core $AXE_VERSION in $axe"
