#!/bin/bash
# up.sh
# A real three-node MariaDB Galera cluster on hosts db1, db2, db3 and a real haproxy on host lb1 (one writer, two backups) that
# also carries a second address, the "virtual" one. Built on ../hosts/up.sh. Idempotent: nodes that are Synced are left
# alone; nodes that are down are started; when no node is Primary the most advanced one is bootstrapped (galera_new_cluster), then the others join.
#   SST=rsync|mariabackup   state transfer method written at first configuration, default rsync
#   MAXCONN=N               max_connections written at first configuration, default 100
#   LBMAX=N                 haproxy's maxconn for each server, written at first configuration, default 80
#   CHECK=http|tcp          haproxy's health check: the wsrep check on port 9200 (default) or a bare connect
# Files on the database hosts: /etc/mysql/mariadb.conf.d/{60-galera,70-limits}.cnf; check: galeracheck.socket on port 9200.
# Users: app/app-lab (ordinary), dba/dba-lab (ALL PRIVILEGES, so SUPER), root by unix socket. Database app, table app.t.
# haproxy on lb1: 3306 = the cluster (address $VIP as well), 8404 = statistics page, /run/haproxy/admin.sock = stats socket.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab.sh"
. "$HERE/../hosts/settings.sh"
part=galera
need_root
SST=${SST:-rsync} MAXCONN=${MAXCONN:-100} LBMAX=${LBMAX:-80} CHECK=${CHECK:-http} VIP=$LAB_NET.10
DBS=(db1 db2 db3)
case $SST in rsync|mariabackup) ;; *) die "SST is \`rsync\` or \`mariabackup\`" ;; esac
sql() { local h=$1; shift; on "$h" "timeout 10 mariadb -N -B -e $(printf %q "$*")"; }
st() { sql "$1" "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME='$2'" 2>/dev/null || true; }

# --- layers with the extra packages (hosts have no way out to fetch them themselves) --------------
LAB_BASE_ONLY=1 "$HERE/../hosts/up.sh" >&2
build_layer db true mariadb-server galera-4 mariadb-backup rsync socat
build_layer lb true haproxy socat mariadb-client

"$HERE/../hosts/up.sh" "${DBS[@]}" lb1 >&2
GCOMM=$(for n in "${DBS[@]}"; do address_of "$n"; done | paste -sd,)

# --- configuration of the database hosts (first time only: a test's changes stay) -----------------
for n in "${DBS[@]}"; do
  if on "$n" test -e /etc/mysql/galera-lab.done; then continue; fi
  say "configuring $n"
  on "$n" 'systemctl stop mariadb'
  on "$n" "cat > /etc/mysql/mariadb.conf.d/60-galera.cnf" <<CNF
[galera]
wsrep_on = ON
wsrep_provider = /usr/lib/galera/libgalera_smm.so
wsrep_cluster_name = lab
wsrep_cluster_address = gcomm://$GCOMM
wsrep_node_name = $n
wsrep_node_address = $(address_of "$n")
wsrep_sst_method = $SST
wsrep_sst_auth = mysql:
wsrep_slave_threads = 2
wsrep_provider_options = "gcache.size=16M"
binlog_format = row
default_storage_engine = InnoDB
innodb_autoinc_lock_mode = 2
innodb_flush_log_at_trx_commit = 0
bind-address = 0.0.0.0
CNF
  on "$n" "cat > /etc/mysql/mariadb.conf.d/70-limits.cnf" <<CNF
[mysqld]
max_connections = $MAXCONN
innodb_buffer_pool_size = 32M
innodb_log_file_size = 16M
key_buffer_size = 1M
performance_schema = OFF
skip_name_resolve = ON
CNF
  on "$n" 'cat > /usr/local/sbin/galeracheck && chmod 755 /usr/local/sbin/galeracheck' <<'CHK'
#!/bin/sh
# one HTTP answer on standard output: 200 when this node is Synced and Primary, else 503
s=$(timeout 3 mariadb -N -B -e "SELECT VARIABLE_NAME, VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN ('wsrep_local_state','wsrep_cluster_status')" 2>&1)
case $s in *WSREP_LOCAL_STATE*4*) case $s in *Primary*) case $s in *non-Primary*) ;; *) c='200 OK' ;; esac ;; esac ;; esac
b=$(printf '%s' "$s" | tr '\t\n' '= ')
printf 'HTTP/1.0 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' "${c:-503 Service Unavailable}" "${#b}" "$b"
CHK
  on "$n" 'cat > /etc/systemd/system/galeracheck.socket; printf "[Unit]\nDescription=Galera check\n[Service]\nExecStart=-/usr/local/sbin/galeracheck\nStandardInput=socket\nLogLevelMax=err\n" > /etc/systemd/system/galeracheck@.service; systemctl daemon-reload; systemctl enable -q --now galeracheck.socket' <<'S'
[Socket]
ListenStream=9200
Accept=yes
[Install]
WantedBy=sockets.target
S
  on "$n" 'systemctl enable -q mariadb; touch /etc/mysql/galera-lab.done'
done

# --- the cluster ----------------------------------------------------------------------------------
primary=
for n in "${DBS[@]}"; do [ "$(st "$n" wsrep_cluster_status)" = Primary ] && { primary=$n; break; }; done
if [ -z "$primary" ]; then
  best=db1 bests=-2
  for n in "${DBS[@]}"; do
    on "$n" 'systemctl stop mariadb; systemctl reset-failed mariadb' 2>/dev/null || true
    g=$(on "$n" 'cat /var/lib/mysql/grastate.dat 2>/dev/null' || true)
    if grep -q 'safe_to_bootstrap: 1' <<<"$g"; then s=9223372036854775807
    else s=$(on "$n" '[ -e /var/lib/mysql/grastate.dat ] && galera_recovery 2>/dev/null | sed -n "s/.*:\([0-9-]*\)$/\1/p"' || true); fi
    say "$n: seqno ${s:-none}"
    if [ "${s:--2}" -gt "$bests" ]; then best=$n bests=${s:--2}; fi
  done
  say "bootstrap on $best"
  on "$best" "sed -i 's/^safe_to_bootstrap:.*/safe_to_bootstrap: 1/' /var/lib/mysql/grastate.dat 2>/dev/null; galera_new_cluster"
  primary=$best
fi
sql "$primary" "CREATE DATABASE IF NOT EXISTS app; CREATE TABLE IF NOT EXISTS app.t (id BIGINT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(200), at TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP(3));
CREATE USER IF NOT EXISTS app@'%' IDENTIFIED BY 'app-lab'; GRANT ALL ON app.* TO app@'%'; CREATE USER IF NOT EXISTS dba@'%' IDENTIFIED BY 'dba-lab'; GRANT ALL PRIVILEGES ON *.* TO dba@'%' WITH GRANT OPTION"
for n in "${DBS[@]}"; do
  if [ "$(st "$n" wsrep_local_state_comment)" = Synced ] && [ "$(st "$n" wsrep_cluster_status)" = Primary ]; then continue; fi
  t0=$SECONDS; say "starting $n"
  on "$n" 'systemctl reset-failed mariadb 2>/dev/null; systemctl start mariadb' || { on "$n" 'journalctl -u mariadb -n 30 --no-pager' >&2; exit 1; }
  for _ in $(seq 1 600); do [ "$(st "$n" wsrep_local_state_comment)" = Synced ] && break; sleep 0.5; done
  [ "$(st "$n" wsrep_local_state_comment)" = Synced ] || { echo "$n is not Synced" >&2; exit 1; }
  say "$n Synced after $((SECONDS-t0)) s"
done

# --- haproxy --------------------------------------------------------------------------------------
if ! on lb1 test -e /etc/haproxy/galera-lab.done; then
  say "configuring haproxy on lb1"
  if [ "$CHECK" = http ]; then opt='option httpchk GET /'; port='port 9200'; else opt='# bare connect'; port=; fi
  on lb1 'cat > /etc/haproxy/haproxy.cfg' <<CFG
global
  log /dev/log local0
  stats socket /run/haproxy/admin.sock mode 660 level admin expose-fd listeners
  stats timeout 30s
  user haproxy
  group haproxy
  maxconn 2000
defaults
  log global
  mode tcp
  option tcplog
  timeout connect 3s
  timeout queue 5s
  timeout client 1h
  timeout server 1h
listen galera
  bind :3306
  balance first
  $opt
  default-server inter 1s fall 2 rise 2 on-marked-down shutdown-sessions maxconn $LBMAX
  server db1 $(address_of db1):3306 check $port
  server db2 $(address_of db2):3306 check $port backup
  server db3 $(address_of db3):3306 check $port backup
listen stats
  bind :8404
  mode http
  stats enable
  stats uri /
CFG
  on lb1 "grep -q '$VIP/' /etc/systemd/network/10-host0.network || sed -i 's|^Address=.*|&\nAddress=$VIP/24|' /etc/systemd/network/10-host0.network; networkctl reload; networkctl reconfigure host0; haproxy -c -q -f /etc/haproxy/haproxy.cfg && systemctl enable -q haproxy && systemctl restart haproxy && touch /etc/haproxy/galera-lab.done"
fi
on lb1 'systemctl is-active -q haproxy || systemctl start haproxy'
for n in "${DBS[@]}"; do
  printf '%s\t%s\t%s\n' "$n" "$(address_of "$n")" "$(sql "$n" "SELECT GROUP_CONCAT(CONCAT(VARIABLE_NAME,'=',VARIABLE_VALUE) ORDER BY 1 SEPARATOR ' ') FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN ('wsrep_cluster_size','wsrep_cluster_status','wsrep_local_state_comment','wsrep_ready')")"
done
printf 'haproxy\t%s (lb1 %s)\tmariadb -h %s -u app -papp-lab app\n' "$VIP" "$(address_of lb1)" "$VIP"
