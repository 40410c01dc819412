# Sourced by up.sh and down.sh: starts and ends the processes of the OpenStack lab, each known by OPENSTACK/run/NAME.pid.

running() { local pid; recorded "$OPENSTACK/run/$1.pid"; }

start() { # NAME CMD...: nothing when it runs already
  local name=$1
  shift
  running "$name" && return 0
  rm -f "$OPENSTACK/run/$name.pid"
  setsid /bin/bash -c 'f=$1; shift
    st=$(sed "s/.*) //" /proc/$$/stat | awk "{print \$20}")
    echo "$$ $st" > "$f.tmp" && mv "$f.tmp" "$f"; exec "$@"' lab "$OPENSTACK/run/$name.pid" "$@" \
    </dev/null >>"$OPENSTACK/log/$name.log" 2>&1 9>&- &
  disown
  say "started $name"
}

# Own network namespace and own /sys, but a shared /run/netns, so that the namespaces which the DHCP and L3 agents make
# are real and visible everywhere (`ip netns exec` alone would hide them).
in_host='exec nsenter --net=/run/netns/$0 unshare -m --propagation unchanged /bin/sh -c '\''mount --make-rprivate /sys && mount -t sysfs sysfs /sys && exec "$@"'\'' lab "$@"'
start_in_host() { # NAME HOST CMD...
  local name=$1 host=$2
  shift 2
  start "$name" /bin/sh -c "$in_host" "lab-$host" "$@"
}

uwsgi_app() { # NAME PORT WSGI-FILE PROCESSES ENV...
  local name=$1 port=$2 file=$3 processes=$4
  shift 4
  start "$name" /usr/bin/env "$@" /usr/bin/uwsgi-core --plugin python3 --master --die-on-term --need-app \
    --http-socket "127.0.0.1:$port" --wsgi-file "$file" --processes "$processes" --threads 4 --enable-threads --lazy-apps \
    --buffer-size 65535 --add-header 'Connection: close' --disable-logging --procname-prefix "$name "
}

start_one() { # NAME
  local n=$1 etc=$OPENSTACK/etc neutron=(--config-file "$OPENSTACK/etc/neutron/neutron.conf" --config-file "$OPENSTACK/etc/neutron/ml2.ini")
  case $n in
  keystone) uwsgi_app keystone 5000 /usr/bin/keystone-wsgi-public 2 OS_KEYSTONE_CONFIG_DIR="$etc/keystone" ;;
  placement) uwsgi_app placement 8778 /usr/bin/placement-api 1 OS_PLACEMENT_CONFIG_DIR="$etc/placement" ;;
  glance-api) start "$n" "$OPENSTACK/bin/glance-api" --config-file "$etc/glance/glance-api.conf" ;;
  nova-api | nova-scheduler | nova-conductor) start "$n" "$OPENSTACK/bin/$n" --config-file "$etc/nova/nova.conf" ;;
  nova-compute-*) start "$n" "$OPENSTACK/bin/nova-compute" --config-file "$etc/nova/nova.conf" --config-file "$etc/nova/${n#nova-}.conf" ;;
  neutron-server) start "$n" /usr/bin/neutron-server "${neutron[@]}" ;;
  neutron-l2-*) start_in_host "$n" "${n#neutron-l2-}" /usr/bin/neutron-linuxbridge-agent "${neutron[@]}" --config-file "$etc/neutron/host-${n#neutron-l2-}.ini" ;;
  neutron-dhcp-agent | neutron-l3-agent) start_in_host "$n" net-1 "/usr/bin/$n" "${neutron[@]}" --config-file "$etc/neutron/host-net-1.ini" ;;
  neutron-metadata-agent) start "$n" /usr/bin/neutron-metadata-agent "${neutron[@]}" --config-file "$etc/neutron/metadata-agent.ini" ;;
  cinder-api | cinder-scheduler | cinder-volume) start "$n" /usr/bin/env PATH="$OPENSTACK/bin:$PATH" "$OPENSTACK/bin/$n" --config-file "$etc/cinder/cinder.conf" ;;
  mariadb) start_mariadb ;;
  memcached) start_memcached ;;
  epmd | rabbitmq) start_rabbitmq ;;
  *) die "no process is called $n" ;;
  esac
}

start_mariadb() {
  if [ ! -d "$OPENSTACK/mysql/mysql" ]; then
    chown mysql: "$OPENSTACK/mysql"
    mariadb-install-db --no-defaults --user=mysql --datadir="$OPENSTACK/mysql" --auth-root-authentication-method=normal \
      --skip-test-db >"$OPENSTACK/log/mysql-install.log" 2>&1
  fi
  mkdir -p "$OPENSTACK/run/mysql"
  chown mysql: "$OPENSTACK/run/mysql"
  start mariadb /usr/sbin/mariadbd --no-defaults --user=mysql --datadir="$OPENSTACK/mysql" --socket="$OPENSTACK/run/mysql/mysql.sock" \
    --pid-file="$OPENSTACK/run/mysql/mysqld.pid" --bind-address=127.0.0.1 --port=3306 --skip-name-resolve --max-connections=1000 \
    --innodb-buffer-pool-size=128M --innodb-flush-log-at-trx-commit=0 --skip-log-bin --performance-schema=OFF \
    --character-set-server=utf8mb3 --collation-server=utf8mb3_general_ci
}
start_memcached() { start memcached /usr/bin/memcached -u nobody -l 127.0.0.1 -p 11211 -m 64 -c 2048; }
start_rabbitmq() {
  chown -R rabbitmq: "$OPENSTACK/rabbit"
  start epmd /usr/sbin/runuser -u rabbitmq -- /usr/bin/env HOME="$OPENSTACK/rabbit" ERL_EPMD_ADDRESS=127.0.0.1 /usr/bin/epmd
  start rabbitmq /usr/sbin/runuser -u rabbitmq -- /usr/bin/env HOME="$OPENSTACK/rabbit" RABBITMQ_NODENAME=lab@localhost \
    RABBITMQ_CONFIG_FILE="$OPENSTACK/etc/rabbitmq.conf" RABBITMQ_MNESIA_BASE="$OPENSTACK/rabbit/mnesia" RABBITMQ_LOG_BASE="$OPENSTACK/rabbit/log" \
    RABBITMQ_ENABLED_PLUGINS_FILE="$OPENSTACK/rabbit/plugins" RABBITMQ_CONF_ENV_FILE="$OPENSTACK/rabbit/none" ERL_EPMD_ADDRESS=127.0.0.1 \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none" \
    /usr/lib/rabbitmq/bin/rabbitmq-server
}

# A process and its descendants, deepest last (privsep helpers, uwsgi and neutron workers).
tree() { local c; echo "$1"; for c in $(cat /proc/"$1"/task/*/children 2>/dev/null); do tree "$c"; done; }
alive() { local p; for p in "$@"; do [ -d "/proc/${p%%:*}" ] && [ "$(starttime "${p%%:*}")" = "${p#*:}" ] && return 0; done; return 1; }
stop_one() { # NAME [SIGNAL]
  local pid signal=${2:-TERM} p i all=()
  recorded "$OPENSTACK/run/$1.pid" || { rm -f "$OPENSTACK/run/$1.pid"; return 0; }
  for p in $(tree "$pid"); do all+=("$p:$(starttime "$p")"); done
  kill -"$signal" "$pid" 2>/dev/null
  for ((i = 0; i < 40; i++)); do alive "${all[0]}" || break; sleep 0.25; done
  for p in "${all[@]}"; do alive "$p" && kill -KILL "${p%%:*}" 2>/dev/null; done
  rm -f "$OPENSTACK/run/$1.pid"
  say "ended $1 (pid $pid)"
}
