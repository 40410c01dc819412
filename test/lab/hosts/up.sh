#!/bin/bash
# up.sh [NAME ...]   default: h1 h2 h3
#
# Real hosts on this machine: each one a systemd-nspawn container that boots, with its own address, its own systemd as
# process 1, a real sshd, and an overlay copy of one shared root file system. A name is 1-11 characters of [a-z0-9];
# names that begin with "db" start MariaDB at boot, names that begin with "ceph" get Ceph's packages and the loop devices.
# Idempotent: a host that is up is left alone, one that is down is started again with the disk it had.
# Afterwards: ssh -F $RUNBOOK_LAB/hosts/ssh_config NAME (root, or -l ops); addresses in hosts.tsv. Needs root.
#   LAB_BASE_ONLY=1   only the shared root file system
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab.sh"
. "$HERE/settings.sh"
. "$HERE/base.sh"
part=hosts
need_root
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(h1 h2 h3)
for n in "${names[@]}"; do good_name "$n" || die "\`$n\` is no name for a host: up to 11 of [a-z0-9], a letter first"; done
mkdir -p "$HOSTS/machines" "$HOSTS/run"
exec 9>"$HOSTS/run/lock"
flock 9

apt_install "$HOSTS/run/apt.log" systemd-container mmdebstrap openssh-client iproute2 procps
build_base
finish_base
if printf '%s\n' "${names[@]}" | grep -q '^ceph'; then
  build_layer ceph 'systemctl mask nvmf-autoconnect.service' ceph-mon ceph-mgr ceph-osd ceph-common udev
fi
[ -z "${LAB_BASE_ONLY:-}" ] || exit 0

# every systemd takes about 8 inotify instances and all hosts are uid 0 of one kernel: the default of 128 ends at 14 hosts
[ "$(cat /proc/sys/fs/inotify/max_user_instances)" -ge 4096 ] || echo 4096 >/proc/sys/fs/inotify/max_user_instances
ip link show "$LAB_BRIDGE" >/dev/null 2>&1 || ip link add "$LAB_BRIDGE" type bridge
ip -4 addr show dev "$LAB_BRIDGE" | grep -q "$LAB_NET.1/24" || ip addr add "$LAB_NET.1/24" dev "$LAB_BRIDGE"
ip link set "$LAB_BRIDGE" up

touch "$HOSTS/hosts.tsv"
give_address() { # a stable one: kept in hosts.tsv, the next free from .11
  local i=11
  [ -z "$(address_of "$1")" ] || return 0
  while grep -qP "\t${LAB_NET//./\\.}\.$i$" "$HOSTS/hosts.tsv"; do i=$((i + 1)); done
  printf '%s\t%s\n' "$1" "$LAB_NET.$i" >>"$HOSTS/hosts.tsv"
}
mount_disk() { # NAME ROOT
  local low=$HOSTS/base kind=${1%%[0-9]*}
  mountpoint -q "$2" && return 0
  [ ! -e "$HOSTS/layer-$kind.done" ] || low=$HOSTS/layer-$kind:$low # the layer of this kind of host, when there is one
  mount -t overlay overlay -o "lowerdir=$low,upperdir=$HOSTS/machines/$1/up,workdir=$HOSTS/machines/$1/work" "$2"
}
configure() { # NAME ROOT: once in the life of a disk
  local n=$1 root=$2
  [ ! -e "$HOSTS/machines/$n/configured" ] || return 0
  echo "$n" >"$root/etc/hostname"
  mkdir -p "$root/etc/systemd/network"
  printf '[Match]\nName=host0\n[Network]\nAddress=%s/24\nGateway=%s.1\nLinkLocalAddressing=no\n' "$(address_of "$n")" "$LAB_NET" \
    >"$root/etc/systemd/network/10-host0.network"
  rm -f "$root"/etc/ssh/ssh_host_*
  chroot "$root" ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key </dev/null
  case $n in
  db*) printf '[mysqld]\nbind-address=0.0.0.0\n' >"$root/etc/mysql/mariadb.conf.d/90-lab.cnf" ;;
  *) rm -f "$root/etc/systemd/system/multi-user.target.wants/mariadb.service" ;;
  esac
  touch "$HOSTS/machines/$n/configured"
}
power_on() { # NAME
  local n=$1 root=$HOSTS/machines/$1/root
  supervisor "$n" >/dev/null && return 0
  mkdir -p "$HOSTS/machines/$n"/{up,work,root}
  mount_disk "$n" "$root"
  configure "$n" "$root"
  setsid bash -c 'exec -a "lab-supervise-$1" bash "$0" "$@"' "$HOSTS/run/supervise.sh" "$n" "$HOSTS" "$LAB_BRIDGE" "$LAB_MEM_MB" \
    9>&- </dev/null >/dev/null 2>&1 &
  echo $! >"$HOSTS/run/$n.pid"
}
client_files() { # names, known hosts, client configuration: of all hosts, running or not
  local n a
  { echo '127.0.0.1 localhost'; awk -F'\t' '{print $2" "$1}' "$HOSTS/hosts.tsv"; } >"$HOSTS/hosts.etc"
  : >"$HOSTS/known_hosts.new"
  : >"$HOSTS/ssh_config.new"
  while IFS=$'\t' read -r n a; do
    printf 'Host %s\n  HostName %s\n' "$n" "$a" >>"$HOSTS/ssh_config.new"
    [ -e "$HOSTS/machines/$n/root/etc/ssh/ssh_host_ed25519_key.pub" ] || continue
    printf '%s,%s %s\n' "$n" "$a" "$(cut -d' ' -f1,2 "$HOSTS/machines/$n/root/etc/ssh/ssh_host_ed25519_key.pub")" >>"$HOSTS/known_hosts.new"
    cp "$HOSTS/hosts.etc" "$HOSTS/machines/$n/root/etc/hosts"
  done <"$HOSTS/hosts.tsv"
  printf 'Host *\n  User root\n  IdentityFile %s\n  IdentitiesOnly yes\n  UserKnownHostsFile %s\n  StrictHostKeyChecking yes\n  HostKeyAlgorithms ssh-ed25519\n  KexAlgorithms curve25519-sha256\n' \
    "$HOSTS/id_lab" "$HOSTS/known_hosts" >>"$HOSTS/ssh_config.new"
  mv "$HOSTS/known_hosts.new" "$HOSTS/known_hosts"
  mv "$HOSTS/ssh_config.new" "$HOSTS/ssh_config"
}
wait_until_up() { # NAME
  local n=$1 state='' booted
  for _ in $(seq 1 1200); do
    state=$(timeout 5 ssh -F "$HOSTS/ssh_config" -o ConnectTimeout=2 -o BatchMode=yes "$n" systemctl is-system-running 2>/dev/null || true)
    case $state in running | degraded) break ;; esac
    supervisor "$n" >/dev/null || die "$n died (see $HOSTS/run/$n.console)"
    sleep 0.25
  done
  case $state in running | degraded) ;; *) die "$n did not come up: \`$state\` (see $HOSTS/run/$n.console)" ;; esac
  booted=$(awk '/ boot$/{t=$1} END{print t}' "$HOSTS/run/$n.events")
  printf '%s\t%s\t%s\tup for %s s\n' "$n" "$(address_of "$n")" "$state" "$(awk -v a="$(date +%s.%N)" -v b="$booted" 'BEGIN{printf "%.1f", a-b}')"
}

# a copy: bash reads a script while it runs it, and the checkout may change below a running host
cp "$HERE/supervise.sh" "$HOSTS/run/supervise.sh.new"
mv "$HOSTS/run/supervise.sh.new" "$HOSTS/run/supervise.sh"
for n in "${names[@]}"; do
  give_address "$n"
  power_on "$n"
done
client_files
for n in "${names[@]}"; do wait_until_up "$n"; done
