#!/bin/bash
# up.sh [--host NAME] [--osds N]        a real, small Ceph cluster: 1 mon, 1 mgr, N OSDs (4; bluestore on sparse files)
#   without --host  daemons straight on this machine, no systemd; mon on 127.0.0.1; everything under $RUNBOOK_LAB/hosts/ceph.
#                   afterwards:  export CEPH_CONF=$RUNBOOK_LAB/hosts/ceph/ceph.conf ; ceph -s
#   --host NAME     inside a host of ../hosts/up.sh (NAME must begin with "ceph"), under its systemd:
#                   ceph-mon@a, ceph-mgr@a, ceph-osd@0..3; afterwards:  ssh -F $RUNBOOK_LAB/hosts/ssh_config NAME ceph -s
# Idempotent: what exists is started, what is missing is made. Ends when `ceph health` is HEALTH_OK.
# Needs root. Debian 12 packages (ceph 16.2.15); installs only mon, mgr, osd, common.
set -euo pipefail
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
OSDS=4; HOST=; DISK_GB=${DISK_GB:-4}; INSIDE=
while [ $# -gt 0 ]; do case $1 in --host) HOST=$2; shift 2 ;; --osds) OSDS=$2; shift 2 ;; --inside) INSIDE=$2; shift 2 ;; *) echo "unknown: $1" >&2; exit 2 ;; esac; done
if [ -n "$INSIDE" ]; then # this script, sent into a host: alone there
  say() { printf '[ceph %4ds] %s\n' "$SECONDS" "$*" >&2; }
else
  HERE=$(cd "$(dirname "$0")" && pwd)
  LAB_MEM_MB=${LAB_MEM_MB:-4096} # four OSDs do not fit into the memory of a plain host
  export LAB_MEM_MB
  . "$HERE/../lab.sh"
  . "$HERE/../hosts/settings.sh"
  part=ceph
  need_root
fi

if [ -n "$HOST" ]; then                               # hand the work to the host
  [[ $HOST == ceph* ]] || { echo "the host's name must begin with ceph" >&2; exit 2; }
  "$HERE/../hosts/up.sh" "$HOST" >&2
  ip=$(address_of "$HOST")
  ssh -F "$HOSTS/ssh_config" "$HOST" "cat > /root/ceph-up.sh" < "$0"
  exec ssh -F "$HOSTS/ssh_config" "$HOST" "DISK_GB=$DISK_GB bash /root/ceph-up.sh --osds $OSDS --inside $ip"
fi

if [ -n "$INSIDE" ]; then
  MONIP=$INSIDE D=/var/lib/ceph CONF=/etc/ceph/ceph.conf KR=/etc/ceph/ceph.client.admin.keyring DISKS=/srv/disks/$(hostname)
  U=(--setuser ceph --setgroup ceph)
else
  MONIP=127.0.0.1 D=$HOSTS/ceph CONF=$HOSTS/ceph/ceph.conf KR=$HOSTS/ceph/ceph.client.admin.keyring DISKS=$HOSTS/ceph/disks
  U=()
  mkdir -p "$HOSTS/run"
  apt_install "$HOSTS/run/apt-ceph.log" ceph-mon ceph-mgr ceph-osd ceph-common
fi
mkdir -p "$D"/{mon,mgr,osd,run,log} "$DISKS"
own() { [ -z "$INSIDE" ] || chown -R ceph:ceph "$@"; }
export CEPH_CONF=$CONF

if [ ! -e "$CONF" ]; then
  cat > "$CONF" <<E
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon_initial_members = a
mon_host = [v2:$MONIP:3300,v1:$MONIP:6789]
public_addr = $MONIP
cluster_addr = $MONIP
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
mon_data = $D/mon/ceph-\$id
mgr_data = $D/mgr/ceph-\$id
osd_data = $D/osd/ceph-\$id
log_file = $D/log/\$name.log
admin_socket = $D/run/\$name.asok
pid_file = $D/run/\$name.pid
crash_dir = $D/run
exporter_sock_dir = $D/run
# one machine: spread copies over OSDs, not over hosts
osd_pool_default_size = 3
osd_pool_default_min_size = 2
osd_crush_chooseleaf_type = 0
osd_pool_default_pg_num = 32
osd_pool_default_pg_autoscale_mode = off
mon_allow_pool_delete = true
auth_allow_insecure_global_id_reclaim = false
mon_data_avail_warn = 5
mon_data_avail_crit = 2
[mon]
# OSDs of one host may report each other (the default level "host" needs reports from two hosts)
mon_osd_reporter_subtree_level = osd
mon_osd_min_down_reporters = 1
# 600 by default: the time from "down" to "out"
mon_osd_down_out_interval = 20
# without this the mon never marks the last OSDs of a subtree out by itself
mon_osd_down_out_subtree_limit = root
[client]
# here and not in [global]: there it would hide the daemons' own keyrings
keyring = $KR
[mgr]
mgr_stats_period = 1
[osd]
osd_heartbeat_interval = 2
osd_heartbeat_grace = 6
osd_max_backfills = 4
osd_recovery_max_active = 8
osd_recovery_sleep = 0
osd_scrub_auto_repair = false
bluestore_block_create = false
bluestore_cache_autotune = false
bluestore_cache_size = 67108864
osd_memory_target = 939524096
osd_op_num_shards = 2
osd_op_num_threads_per_shard = 1
E
fi

ceph_() { ceph --connect-timeout 60 "$@"; }
daemon_alive() { local p; p=$(cat "$D/run/$1.$2.pid" 2>/dev/null) && [ -n "$p" ] && [ -d "/proc/$p" ] && grep -q "ceph-$1" "/proc/$p/comm" 2>/dev/null; }
start_daemon() { # type id
  if [ -n "$INSIDE" ]; then systemctl enable -q "ceph-$1@$2" 2>/dev/null; systemctl reset-failed "ceph-$1@$2" 2>/dev/null || true; systemctl start "ceph-$1@$2"
  else daemon_alive "$1" "$2" || "ceph-$1" -c "$CONF" -i "$2" </dev/null >>"$D/log/$1.$2.out" 2>&1; fi
}

# --- mon
if [ ! -e "$D/mon/ceph-a/done" ]; then
  say "making the monitor"
  rm -rf "$D/mon/ceph-a"
  ceph-authtool -C "$D/mon.keyring" --gen-key -n mon. --cap mon 'allow *' >/dev/null
  [ -e "$KR" ] || ceph-authtool -C "$KR" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' --cap mds 'allow *' >/dev/null
  ceph-authtool "$D/mon.keyring" --import-keyring "$KR" >/dev/null
  fsid=$(awk '/^fsid/{print $3}' "$CONF")
  rm -f "$D/monmap"; monmaptool --create --fsid "$fsid" --addv a "[v2:$MONIP:3300,v1:$MONIP:6789]" "$D/monmap" >/dev/null
  mkdir -p "$D/mon/ceph-a"; own "$D" "$KR"
  ceph-mon -c "$CONF" --mkfs -i a --monmap "$D/monmap" --keyring "$D/mon.keyring" "${U[@]}" >/dev/null
  touch "$D/mon/ceph-a/done"; own "$D"
fi
start_daemon mon a
ceph_ mon stat >/dev/null
ceph_ mon enable-msgr2 >/dev/null 2>&1 || true
# --- mgr
if [ ! -e "$D/mgr/ceph-a/keyring" ]; then
  mkdir -p "$D/mgr/ceph-a"; ceph_ auth get-or-create mgr.a mon 'allow profile mgr' osd 'allow *' mds 'allow *' > "$D/mgr/ceph-a/keyring"; own "$D/mgr"
fi
start_daemon mgr a
# --- osds
[ -e "$D/bootstrap-osd/ceph.keyring" ] || { mkdir -p "$D/bootstrap-osd"; ceph_ auth get-or-create client.bootstrap-osd mon 'allow profile bootstrap-osd' -o "$D/bootstrap-osd/ceph.keyring"; own "$D/bootstrap-osd"; }
for ((i = 0; i < OSDS; i++)); do
  o=$D/osd/ceph-$i
  if [ ! -e "$o/ready" ] && [ ! -e "$o/whoami" ]; then
    say "making osd.$i"
    rm -rf "$o"; mkdir -p "$o"; img=$DISKS/disk-$i.img
    rm -f "$img"; truncate -s "${DISK_GB}G" "$img"; ln -s "$img" "$o/block"
    uuid=$(cat /proc/sys/kernel/random/uuid); secret=$(ceph-authtool --gen-print-key)
    id=$(echo "{\"cephx_secret\": \"$secret\"}" | ceph_ osd new "$uuid" "$i" -i -)
    [ "$id" = "$i" ] || { echo "osd new gave $id, not $i" >&2; exit 1; }
    ceph-authtool -C "$o/keyring" -n "osd.$i" --add-key "$secret" >/dev/null
    own "$o" "$img"
    ceph-osd -c "$CONF" -i "$i" --mkfs --osd-uuid "$uuid" "${U[@]}" >>"$D/log/osd.$i.mkfs" 2>&1 || { tail "$D/log/osd.$i.mkfs" >&2; exit 1; }
  fi
  start_daemon osd "$i"
done
# --- wait
say "waiting for HEALTH_OK"
settled=0 # twice in a row: right after an OSD comes up the manager may still show the placement groups of a moment ago
for _ in $(seq 1 600); do
  h=$(ceph_ health 2>/dev/null || true)
  n=$(ceph_ osd stat -f json 2>/dev/null | sed -n 's/.*"num_up_osds":\([0-9]*\).*/\1/p')
  if [ "$h" = HEALTH_OK ] && [ "${n:-0}" -ge "$OSDS" ] && ceph_ pg stat 2>/dev/null | grep -qE '^[0-9]+ pgs: [0-9]+ active[+]clean;'; then
    settled=$((settled + 1))
    [ $settled -lt 2 ] || break
  else settled=0; fi
  sleep 0.5
done
ceph_ -s
[ "$h" = HEALTH_OK ]
