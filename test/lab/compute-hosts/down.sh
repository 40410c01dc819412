#!/bin/bash
# down.sh [--hard] [--wipe] [NAME ...]   default: every cmp* host
#   (none)   orderly power-off; up.sh brings the host back with its disk
#   --hard   as if the power were cut
#   --wipe   also throw the disk away and take the host out of Nova, Placement and Neutron (servers still on it stay, homeless)
# Without names it also ends the forwarder and removes the wire. The package layer stays. Needs root.
set -uo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab.sh"
part=compute-hosts
need_root
export OS_CLIENT_CONFIG_FILE=$OPENSTACK/clouds.yaml OS_CLOUD=lab-admin
flags=() names=() wipe=0
for a in "$@"; do case $a in --wipe) wipe=1; flags+=("$a") ;; --hard) flags+=("$a") ;; -*) echo "unknown: $a" >&2; exit 2 ;; cmp*) names+=("$a") ;; *) echo "not a compute host: $a" >&2; exit 2 ;; esac; done
all=0; [ ${#names[@]} -gt 0 ] || { all=1; mapfile -t names < <(grep -oE '^cmp[0-9]+' "$HOSTS/hosts.tsv" 2>/dev/null); }
for n in "${names[@]}"; do
  if [ -e "/run/netns/lab-$n" ]; then umount -l "/run/netns/lab-$n" 2>/dev/null; rm -f "/run/netns/lab-$n"; fi
done
[ ${#names[@]} = 0 ] || "$HERE/../hosts/down.sh" "${flags[@]}" "${names[@]}"
if [ $wipe = 1 ] && [ ${#names[@]} -gt 0 ]; then
  /usr/bin/python3 - "${names[@]}" <<EOT || echo "not taken out of Nova and Neutron (is the control plane up?)"
import sys, openstack
c = openstack.connect()
for s in c.compute.services():
    if s.host in sys.argv[1:] and s.binary == 'nova-compute':
        c.compute.delete_service(s)
for a in c.network.agents():
    if a.host in sys.argv[1:]:
        c.network.delete_agent(a)
EOT
fi
if [ $all = 1 ]; then
  f=$OPENSTACK/run/compute-hosts-forward.pid
  if recorded "$f"; then kill -TERM "$pid" && say "ended the forwarder (pid $pid)"; fi
  rm -f "$f"
  ip link del lab-wire-a 2>/dev/null
fi
exit 0
