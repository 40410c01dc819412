#!/bin/bash
# run.sh [VITEST ARGUMENT ...]   brings the lab up, runs the tests in test/lab, takes it down again
# A lab that was up before stays up, and so does any lab when LAB_KEEP=1. Ends with 77 when this machine cannot carry it.
set -uo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
node=$(command -v node) || { echo 'run.sh: no `node` on the path' >&2; exit 1; }
home=$HOME
. "$HERE/lab.sh"
. "$HERE/able.sh"
reason=$(why_not)
if [ -n "$reason" ]; then
  printf '\n  THE LAB IS SKIPPED: %s\n  nothing was tested against real hosts or a real OpenStack\n\n' "$reason" >&2
  exit 77
fi
was_up=0
recorded "$OPENSTACK/run/keystone.pid" && was_up=1
finish() {
  if [ "$was_up" = 1 ] || [ -n "${LAB_KEEP:-}" ]; then return; fi
  "$HERE/down.sh" >&2
}
trap finish EXIT
trap 'exit 130' INT TERM
"$HERE/up.sh" || { code=$?; tail -n 3 "$OPENSTACK"/log/*.log 2>/dev/null | tail -n 60 >&2; exit $code; }
cd "$HERE/../.." || exit 1
HOME=$home PATH=$(dirname "$node"):$PATH "$node" node_modules/vitest/vitest.mjs run --config vitest.lab.config.ts "$@"
