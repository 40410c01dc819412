#!/bin/bash
# up.sh [PART ...]   what the lab tests need, or only these parts of it. Idempotent. Needs root on Debian 12.
#   hosts           h1 h2 h3                         ceph    a cluster of four OSDs on host ceph1
#   openstack       OpenStack with three computes    galera  db1 db2 db3 behind haproxy on lb1
#   compute-hosts   cmp1 cmp2 cmp3, in that OpenStack
# hosts/fan.sh has no part of its own: its tests start it. Leaves inventory.yaml beside hosts/ and openstack/.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/lab.sh"
. "$HERE/able.sh"
reason=$(why_not)
[ -z "$reason" ] || die "$reason"
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(hosts openstack compute-hosts galera ceph)
for part in "${parts[@]}"; do
  case $part in
    hosts | openstack | compute-hosts | galera) "$HERE/$part/up.sh" ;;
    ceph) "$HERE/ceph/up.sh" --host ceph1 ;;
    *) echo "up.sh: no part is called \`$part\`" >&2; exit 2 ;;
  esac
done
"$HERE/inventory.sh"
