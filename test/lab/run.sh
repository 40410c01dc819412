#!/bin/bash
# run.sh [VITEST ARGUMENT ...]   brings the lab up, runs the tests in test/lab, takes it down again
# With files of tests among the arguments only those run, and only the parts of the lab come up that they need.
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
  [ -z "${failed:-}" ] || printf '\n  THE LAB DID NOT COME UP:\n%s\n' "$failed" >&2
}
trap finish EXIT
trap 'exit 130' INT TERM
needed=() # parts of the lab; all of them, when none is named
for each in "$@"; do
  case $each in
    *test/lab/galera*) needed+=(galera) ;;
    *test/lab/ceph*) needed+=(ceph) ;;
    *test/lab/hosts*) needed+=(hosts) ;;
    *test/lab/openstack*) needed+=(openstack) ;;
    *test/lab/compute-hosts*) needed+=(openstack compute-hosts) ;;
    *test/lab*) needed=(); break ;;
  esac
done
comes_up() { # what it says is kept, for it is the reason when it fails
  local words code
  words=$(mktemp)
  "$HERE/up.sh" "${needed[@]}" 2> >(tee "$words" >&2)
  code=$?
  failed=
  [ $code = 0 ] || failed=$(sleep 1; tail -n 25 "$words"; tail -n 3 "$OPENSTACK"/log/*.log 2>/dev/null | tail -n 60)
  rm -f "$words"
  return $code
}
our_turn() { # LAB_AFTER names the file that appears when somebody else has done with the machine
  while [ -n "${LAB_AFTER:-}" ] && [ ! -e "$LAB_AFTER" ]; do sleep 1; done
}
if ! comes_up; then
  [ -n "${LAB_AFTER:-}" ] && [ ! -e "$LAB_AFTER" ] || exit 1
  echo 'run.sh: the lab did not come up on a busy machine; once more when the machine is ours' >&2
  our_turn
  comes_up || exit 1
fi
our_turn
cd "$HERE/../.." || exit 1
lab_tests() { # VITEST ARGUMENT ...
  HOME=$home PATH=$(dirname "$node"):$PATH "$node" node_modules/vitest/vitest.mjs run --config vitest.lab.config.ts "$@"
}
case " $* " in *" test/"*)
  lab_tests "$@"
  exit ;;
esac
# the cloud, the databases and the other hosts share nothing, and are mostly waited for: side by side, then told as one;
# five hundred hosts at once leave nobody else any time, and the README's commands look at everything, so they come when the
# others have ended
parts=$(mktemp -d)
failed_parts=0
part() { # NAME FILTER ...
  local name=$1
  shift
  lab_tests --reporter=default --reporter=blob "--outputFile.blob=$parts/reports/$name.json" "$@" >"$parts/$name.log" 2>&1
}
part cloud test/lab/openstack test/lab/compute-hosts test/lab/daily-inspection &
running=($!)
part hosts test/lab/hosts test/lab/ceph --exclude '**/fan.test.ts' &
running+=($!)
part databases test/lab/galera &
running+=($!)
for each in "${running[@]}"; do wait "$each" || failed_parts=1; done
part fan test/lab/hosts/fan || failed_parts=1
part readme test/lab/readme || failed_parts=1
cat "$parts"/{cloud,hosts,databases,fan,readme}.log
lab_tests "--merge-reports=$parts/reports" "$@" || failed_parts=1
rm -rf "$parts"
exit "$failed_parts"
