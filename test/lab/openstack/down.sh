#!/bin/bash
# down.sh                       ends everything up.sh started; data stays, up.sh brings it back
# down.sh stop NAME [SIGNAL]    ends one process (nova-compute-1, neutron-dhcp-agent, ...)
# down.sh purge                 ends everything and removes the state (packages stay)
#
# Ends processes by recorded pid, when pid and start time both match, and the daemons whose command line names the state folder.
set -uo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab.sh"
. "$HERE/settings.sh"
. "$HERE/processes.sh"
. "$HERE/network.sh"
need_root
[ -d "$OPENSTACK" ] || exit 0

case ${1:-down} in
down | purge) ;;
stop) stop_one "${2:?NAME}" "${3:-TERM}"; exit ;;
*) die "usage: $0 [down | stop NAME [SIGNAL] | purge]" ;;
esac

order="compute-hosts-forward neutron-dhcp-agent neutron-l3-agent neutron-metadata-agent"
for f in "$OPENSTACK"/run/neutron-l2-*.pid "$OPENSTACK"/run/nova-compute-*.pid; do [ -e "$f" ] && order="$order $(basename "$f" .pid)"; done
order="$order cinder-volume cinder-scheduler cinder-api neutron-server nova-api nova-scheduler nova-conductor glance-api placement keystone"
for n in $order; do stop_one "$n" & done
wait
for n in rabbitmq epmd memcached mariadb; do stop_one "$n"; done
# dnsmasq, haproxy, radvd... are daemons of their own: they are the ones whose command line names the state folder
for d in /proc/[0-9]*; do
  { c=$(tr '\0' ' ' <"$d/cmdline"); } 2>/dev/null || continue
  case $c in
  dnsmasq*"$OPENSTACK"/* | *haproxy*"$OPENSTACK"/* | *radvd*"$OPENSTACK"/* | *neutron-keepalived*"$OPENSTACK"/* | *privsep-helper*"$OPENSTACK"/*)
    kill -TERM "${d#/proc/}" 2>/dev/null && say "ended ${c:0:60}"
    ;;
  esac
done
sleep 1
drop_underlay
mountpoint -q "$CINDER_SHARE" && umount "$CINDER_SHARE"
[ "${1:-}" = purge ] && rm -rf --one-file-system "$OPENSTACK"
exit 0
