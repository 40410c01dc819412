#!/bin/bash
# Keeps one host alive: argv is NAME STATE-FOLDER BRIDGE MEMORY-MB. up.sh runs a copy of this file under the name
# lab-supervise-NAME. nspawn ends with 133 when the host asks for a reboot; it is started again then.
n=$1 HOSTS=$2 bridge=$3 memory=$4
# Each host needs a cgroup of its own in EVERY hierarchy nspawn uses, else all share /payload and break each other.
for h in /sys/fs/cgroup/unified /sys/fs/cgroup/systemd /sys/fs/cgroup/memory /sys/fs/cgroup/pids /sys/fs/cgroup/cpuacct; do
  [ -e $h/cgroup.procs ] || continue
  mkdir -p $h/lab/$n
  [ $h = /sys/fs/cgroup/memory ] && [ "$memory" -gt 0 ] && echo $((memory * 1048576)) >$h/lab/$n/memory.limit_in_bytes
  echo $$ >$h/lab/$n/cgroup.procs
done
extra=()
case $n in ceph*)
  mkdir -p $HOSTS/disks
  extra+=(--bind=$HOSTS/disks:/srv/disks --capability=CAP_SYS_RAWIO)
  for d in /dev/loop*; do extra+=(--bind=$d); done
  ;;
esac
while :; do
  ip link del vb-$n 2>/dev/null # a left-over veth stops the next start
  echo "$(date +%s.%N) boot" >>$HOSTS/run/$n.events
  SYSTEMD_LOG_LEVEL=warning SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=${LAB_UNIFIED:-1} \
    systemd-nspawn --quiet --boot --directory=$HOSTS/machines/$n/root --machine=$n --register=no --keep-unit \
    --network-bridge=$bridge --console=read-only --link-journal=no --resolv-conf=off --timezone=off \
    "${extra[@]}" </dev/null >>$HOSTS/run/$n.console 2>&1 &
  np=$!
  echo $np >$HOSTS/run/$n.nspawn.pid
  wait $np
  rc=$?
  while [ -d /proc/$np ]; do wait $np; rc=$?; done
  echo "$(date +%s.%N) exit $rc" >>$HOSTS/run/$n.events
  [ $rc = 133 ] || exit $rc
done
