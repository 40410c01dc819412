#!/bin/bash
# Gives a server of the lab a real network side: a network namespace with the port's MAC, wired by veth to a tap
# device in the "host" namespace, just where a hypervisor would plug it. The L2 agent then wires it for real.
#   vmnet.sh plug HOST PORT-ID MAC NETWORK-ID   (then: lease PORT-ID)
#   vmnet.sh lease PORT-ID [SECONDS]   one DHCP attempt; prints the address, or exits 1
#   vmnet.sh unplug PORT-ID
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab.sh"
need_root
case ${1:-} in
  plug) host=$2 port=$3 mac=$4 br=brq${5:0:11}; ns=lab-vm-${port:0:8}; tap=tap${port:0:11}
    [ -e "/run/netns/$ns" ] || ip netns add "$ns"
    ip -n "lab-$host" link show "$tap" >/dev/null 2>&1 || {
      ip -n "$ns" link add eth0 address "$mac" type veth peer name "$tap" netns "lab-$host"
      ip -n "lab-$host" link set "$tap" up; ip -n "$ns" link set lo up; ip -n "$ns" link set eth0 up; }
    # for compute ports it is nova (os-vif), not the agent, that makes the bridge and enslaves the tap: do as it does
    ip -n "lab-$host" link show "$br" >/dev/null 2>&1 || ip -n "lab-$host" link add "$br" type bridge
    ip -n "lab-$host" link set "$br" up; ip -n "lab-$host" link set "$tap" master "$br"
    echo "$ns $tap $br" ;;
  lease) port=$2 t=${3:-12}; ns=lab-vm-${port:0:8}
    d=$(mktemp -d); trap 'rm -rf "$d"' EXIT
    ip -n "$ns" addr flush dev eth0
    # -sf: no resolv.conf of this machine is touched
    printf '#!/bin/sh\n[ -n "$new_ip_address" ] && /usr/sbin/ip addr replace $new_ip_address/24 dev $interface && echo "$reason $new_ip_address server=$new_dhcp_server_identifier routers=$new_routers" >&2\nexit 0\n' > "$d/s"; chmod 755 "$d/s"
    ip netns exec "$ns" timeout "$t" dhclient -4 -1 -d -v -sf "$d/s" -lf "$d/l" -pf "$d/p" eth0 >"$d/out" 2>&1 & p=$!
    for ((i=0; i<t*4; i++)); do grep -q 'bound to' "$d/out" && break; kill -0 $p 2>/dev/null || break; sleep 0.25; done
    kill $p 2>/dev/null || true; wait $p 2>/dev/null || true
    grep -E 'DISCOVER|OFFER|ACK|NAK|BOUND|bound to|No DHCP' "$d/out" || true
    ip -n "$ns" -4 -br addr show dev eth0 | grep -q . && ip -n "$ns" -4 -br addr show dev eth0 | grep -oE '[0-9.]+/[0-9]+' ;;
  unplug) port=$2; ip netns del "lab-vm-${port:0:8}" ;;
  *) die "usage: $0 plug | lease | unplug" ;;
esac
