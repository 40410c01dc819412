#!/bin/bash
# down.sh [purge]   ends the whole lab, whichever parts run; purge also removes its state (packages stay)
set -uo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/lab.sh"
need_root
"$HERE/compute-hosts/down.sh"
"$HERE/galera/down.sh"
"$HERE/hosts/fan.sh" down
"$HERE/hosts/down.sh"
"$HERE/ceph/down.sh"
"$HERE/openstack/down.sh" "${1:-down}"
[ "${1:-}" != purge ] || rm -rf --one-file-system "$HOSTS" "$RUNBOOK_LAB/inventory.yaml"
