#!/bin/bash
# down.sh [--hard] [--wipe] [NAME ...]   default: every host
#   (none)   orderly power-off (the host's systemd stops its units)
#   --hard   as if the power were cut: every process of the host is killed at once, nothing is flushed by its services
#   --wipe   also throw the host's disk away (the shared root file system stays)
# Ends only processes up.sh started, by pid and by the host's own cgroup. Needs root.
set -uo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab.sh"
. "$HERE/settings.sh"
part=hosts
need_root
hard=0 wipe=0 names=() all=0
for a in "$@"; do
  case $a in
  --hard) hard=1 ;;
  --wipe) wipe=1 ;;
  -*) die "usage: $0 [--hard] [--wipe] [NAME ...]" ;;
  *) names+=("$a") ;;
  esac
done
[ ${#names[@]} -gt 0 ] || { all=1; mapfile -t names < <(cut -f1 "$HOSTS/hosts.tsv" 2>/dev/null); }
[ -d "$HOSTS/run" ] || exit 0
exec 9>"$HOSTS/run/lock"
flock 9

power_off() { # NAME
  local n=$1 sup np left h
  sup=$(supervisor "$n") || sup=
  np=$(cat "$HOSTS/run/$n.nspawn.pid" 2>/dev/null || true)
  if [ -n "$sup" ] && [ -n "$np" ] && [ -d "/proc/$np" ]; then
    if [ $hard = 1 ]; then
      kill -KILL "$sup" 2>/dev/null # the supervisor first, so that it starts nothing again
      kill -KILL "$np" 2>/dev/null
    else
      kill -TERM "$np" 2>/dev/null # nspawn: orderly power-off of the host
      for _ in $(seq 1 300); do [ -d "/proc/$np" ] || break; sleep 0.1; done
      if [ -d "/proc/$np" ]; then kill -KILL "$sup" "$np" 2>/dev/null; fi
    fi
  fi
  for _ in 1 2 3 4 5 6 7 8 9 10; do # what is left of it, by its own cgroup
    left=$(find /sys/fs/cgroup/systemd/lab/"$n" -name cgroup.procs -exec cat {} + 2>/dev/null)
    [ -n "$left" ] || break
    kill -KILL $left 2>/dev/null
    sleep 0.2
  done
  ip link del "vb-$n" 2>/dev/null
  for h in unified systemd memory pids cpuacct; do
    [ -d "/sys/fs/cgroup/$h/lab/$n" ] && find "/sys/fs/cgroup/$h/lab/$n" -depth -type d -exec rmdir {} + 2>/dev/null
  done
  rm -f "$HOSTS/run/$n.pid" "$HOSTS/run/$n.nspawn.pid"
}

for n in "${names[@]}"; do
  good_name "$n" || continue
  power_off "$n"
  if [ $wipe = 1 ] || [ $all = 1 ]; then mountpoint -q "$HOSTS/machines/$n/root" && umount -l "$HOSTS/machines/$n/root"; fi
  if [ $wipe = 1 ]; then
    rm -rf --one-file-system "$HOSTS/machines/$n" "$HOSTS/run/$n".{console,events}
    sed -i "/^$n\t/d" "$HOSTS/hosts.tsv"
  fi
  echo "$n down"
done
if [ $all = 1 ]; then # loop devices belong to the machine: a disk that was left in one would be found by the next cluster
  for loop in $(losetup -n -O NAME,BACK-FILE 2>/dev/null | grep -E '/(LAB[^/ ]*[.]disk|disk-[0-9]+[.]img)( |$)' | cut -d ' ' -f 1); do losetup -d "$loop"; done
fi
[ $all = 1 ] && ip link del "$LAB_BRIDGE" 2>/dev/null
exit 0
