#!/bin/bash
# up.sh              a real, small OpenStack Zed from Debian 12's packages on 127.0.0.1, without systemd
# up.sh install      only the packages
# up.sh start NAME   one process again (nova-compute-1, neutron-dhcp-agent, ...)
#
# Idempotent: packages, databases and accounts are made once, a process that runs is left alone. Needs root.
# Afterwards: OS_CLIENT_CONFIG_FILE=$RUNBOOK_LAB/openstack/clouds.yaml OS_CLOUD=lab-admin (or lab-demo).
#   COMPUTES         how many compute services, default 3
#   COMPUTE_DRIVER   default fake_lab_driver.LabDriver, the file beside this one
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab.sh"
. "$HERE/settings.sh"
. "$HERE/processes.sh"
. "$HERE/network.sh"
. "$HERE/configure.sh"
. "$HERE/configure-hosts.sh"
need_root
export OS_CLIENT_CONFIG_FILE=$OPENSTACK/clouds.yaml OS_CLOUD=lab-admin

wait_for() { # SECONDS WHAT CMD...
  local n=$1 what=$2 i
  shift 2
  for ((i = 0; i < n * 2; i++)); do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.5
  done
  die "$what did not come up in ${n}s (see $OPENSTACK/log)"
}
http_up() { local c; c=$(curl -s -o /dev/null -m 5 -w '%{http_code}' "$1") || return 1; [ "$c" != 000 ] && [ "$c" -lt 500 ]; }
tcp_up() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }
python() { /usr/bin/python3 "$HERE/$1.py" "${@:2}"; }

once() { # NAME CMD...: CMD, once in the life of this lab
  local n=$1 t=$SECONDS log=$OPENSTACK/log/setup-$1.log
  shift
  [ -e "$OPENSTACK/run/done.$n" ] && return 0
  "$@" >>"$log" 2>&1 || { tail -5 "$log" >&2; die "$n (see $log)"; }
  touch "$OPENSTACK/run/done.$n"
  say "$n done in $((SECONDS - t))s"
}

start_backends() {
  local d
  start_mariadb
  start_memcached
  start_rabbitmq
  wait_for 600 mariadb mariadb -S "$OPENSTACK/run/mysql/mysql.sock" -u root -e 'select 1'
  for d in keystone glance placement nova_api nova_cell0 nova_cell1 neutron cinder; do
    echo "CREATE DATABASE IF NOT EXISTS $d CHARACTER SET utf8mb3; GRANT ALL ON $d.* TO 'lab'@'127.0.0.1' IDENTIFIED BY '$PASS';"
  done | mariadb -S "$OPENSTACK/run/mysql/mysql.sock" -u root
  wait_for 600 rabbitmq tcp_up $UNDERLAY 5672
}

set_up_keystone() {
  local k="keystone-manage --config-file $OPENSTACK/etc/keystone/keystone.conf" url=http://127.0.0.1:5000/v3/
  once keystone-db $k db_sync
  once keystone-fernet $k fernet_setup --keystone-user root --keystone-group root
  once keystone-credential $k credential_setup --keystone-user root --keystone-group root
  once keystone-bootstrap $k bootstrap --bootstrap-password "$PASS" --bootstrap-region-id RegionOne \
    --bootstrap-admin-url $url --bootstrap-internal-url $url --bootstrap-public-url $url
}

set_up_databases() {
  local etc=$OPENSTACK/etc
  local n="nova-manage --config-file $etc/nova/nova.conf" url="mysql+pymysql://lab:$PASS@127.0.0.1:3306"
  once placement-db env OS_PLACEMENT_CONFIG_DIR="$etc/placement" placement-manage --config-dir "$etc/placement" db sync
  once glance-db glance-manage --config-file "$etc/glance/glance-api.conf" db_sync
  once nova-api-db $n api_db sync
  once nova-cell0 $n cell_v2 map_cell0 --database_connection "$url/nova_cell0?charset=utf8"
  once nova-db $n db sync
  once nova-cell1 $n cell_v2 create_cell --name cell1
  once neutron-db neutron-db-manage --config-file "$etc/neutron/neutron.conf" --config-file "$etc/neutron/ml2.ini" upgrade heads
  once cinder-db cinder-manage --config-file "$etc/cinder/cinder.conf" db sync
}

mount_cinder_share() { # the real NFS driver, on a bind mount that it takes for the share (this kernel may have no NFS)
  mkdir -p "$CINDER_SHARE"
  mountpoint -q "$CINDER_SHARE" || mount --bind "$OPENSTACK/cinder/export" "$CINDER_SHARE"
}

up() {
  local n
  apt_install "$OPENSTACK/log/apt.log" "${PACKAGES[@]}"
  [ "$1" != install ] || return 0
  configure
  make_underlay
  start_backends
  set_up_keystone
  start_one keystone
  wait_for 600 keystone http_up http://127.0.0.1:5000/v3
  once catalog python catalog "$PASS"
  set_up_databases
  for n in placement glance-api nova-conductor nova-scheduler nova-api neutron-server cinder-api cinder-scheduler; do start_one $n; done
  for n in placement:8778 glance:9292 nova-api:8774 neutron:9696 cinder:8776; do wait_for 600 "${n%:*}" http_up "http://127.0.0.1:${n#*:}/"; done
  say "the APIs answer"
  mount_cinder_share
  for ((n = 1; n <= COMPUTES; n++)); do
    start_one "nova-compute-$n"
    start_one "neutron-l2-compute-$n"
  done
  for n in neutron-l2-net-1 neutron-dhcp-agent neutron-l3-agent neutron-metadata-agent cinder-volume; do start_one $n; done
  wait_for 600 "computes and agents" python ready "$COMPUTES"
  once discover-hosts nova-manage --config-file "$OPENSTACK/etc/nova/nova.conf" cell_v2 discover_hosts --verbose
  head -c 1048576 /dev/zero >"$OPENSTACK/tiny.raw"
  once resources python resources "$OPENSTACK/tiny.raw"
  say "up: OS_CLIENT_CONFIG_FILE=$OPENSTACK/clouds.yaml OS_CLOUD=lab-admin, or source $OPENSTACK/openrc"
}

mkdir -p "$OPENSTACK"/{log,run}
case ${1:-up} in
up | install)
  exec 9>"$OPENSTACK/run/lock"
  flock 9
  up "${1:-up}"
  ;;
start) [ $# = 2 ] || die "usage: $0 start NAME"; start_one "$2" ;;
*) die "usage: $0 [up | install | start NAME]" ;;
esac
