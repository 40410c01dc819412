#!/bin/bash
# down.sh [--host NAME] [--wipe]     stops what up.sh started; --wipe also throws the cluster's data away
# Ends daemons by the pid in their own pid file (or, inside a host, by its systemd). Needs root.
set -uo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab.sh"
need_root
HOST=; wipe=0
while [ $# -gt 0 ]; do case $1 in --host) HOST=$2; shift 2 ;; --wipe) wipe=1; shift ;; *) echo "unknown: $1" >&2; exit 2 ;; esac; done
if [ -n "$HOST" ]; then
  ssh -F "$HOSTS/ssh_config" "$HOST" "systemctl stop 'ceph-osd@*' 'ceph-mgr@*' 'ceph-mon@*'"
  if [ $wipe = 1 ]; then
    ssh -F "$HOSTS/ssh_config" "$HOST" 'systemctl disable -q $(ls /etc/systemd/system/ceph-*.target.wants 2>/dev/null | grep -o "ceph-[a-z]*@.*service" | sort -u) 2>/dev/null
      for d in /var/lib/ceph/osd/*; do mountpoint -q $d && umount $d; done
      for i in /srv/disks/$(hostname)/*.img; do l=$(losetup -j $i -n -O NAME 2>/dev/null); [ -z "$l" ] || losetup -d $l; done
      rm -rf /var/lib/ceph/{mon,mgr,osd,run,log,bootstrap-osd}/* /var/lib/ceph/mon.keyring /var/lib/ceph/monmap /etc/ceph/ceph.conf /etc/ceph/*.keyring /srv/disks/$(hostname)'
  fi
  echo "ceph in $HOST down"; exit 0
fi
D=$HOSTS/ceph
for f in "$D"/run/osd.*.pid "$D"/run/mgr.*.pid "$D"/run/mon.*.pid; do
  [ -s "$f" ] || continue
  p=$(cat "$f"); t=$(basename "$f" | cut -d. -f1)
  grep -q "ceph-$t" "/proc/$p/comm" 2>/dev/null || { rm -f "$f"; continue; }
  kill -TERM "$p"
  for _ in $(seq 1 200); do [ -d "/proc/$p" ] || break; sleep 0.1; done
  [ -d "/proc/$p" ] && kill -KILL "$p"
  rm -f "$f"
done
[ $wipe = 1 ] && rm -rf --one-file-system "$D"
echo "ceph down"
