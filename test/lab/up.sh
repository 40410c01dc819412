#!/bin/bash
# up.sh   what the lab tests need: hosts h1 h2 h3 and OpenStack with three computes. Idempotent. Needs root on Debian 12.
# The rest has a script of its own: compute-hosts/up.sh, ceph/up.sh, galera/up.sh, hosts/fan.sh.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/lab.sh"
. "$HERE/able.sh"
reason=$(why_not)
[ -z "$reason" ] || die "$reason"
"$HERE/hosts/up.sh"
"$HERE/openstack/up.sh"
