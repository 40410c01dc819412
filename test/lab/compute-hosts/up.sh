#!/bin/bash
# up.sh [NAME ...]   default: cmp1 cmp2 cmp3
# up.sh layer        only the shared package layer
#
# Makes OpenStack compute hosts that are real hosts (../hosts/up.sh: own systemd, sshd, address, real reboots), each with
# nova-compute.service and neutron-l2.service of its own that start at boot. The service host name is the ssh host name.
#   COMPUTE_DRIVER   default fake_lab_driver.LabDriver
# Needs the control plane of ../openstack/up.sh running. Idempotent. Needs root.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab.sh"
. "$HERE/../hosts/settings.sh"
part=compute-hosts
need_root
PASS=${LAB_PASSWORD:-labpass}
CTL=$LAB_NET.1
export OS_CLIENT_CONFIG_FILE=$OPENSTACK/clouds.yaml OS_CLOUD=lab-admin
mkdir -p "$HOSTS/run" "$HOSTS/machines"

layer() { # nova and the layer-2 agent, shared by all compute hosts
  [ -e "$HOSTS/base.done" ] || LAB_BASE_ONLY=1 "$HERE/../hosts/up.sh"
  build_layer cmp 'python3 -c "import nova.cmd.compute, nova.virt.fake, neutron.cmd.eventlet.plugins.linuxbridge_neutron_agent"' \
    python3-nova nova-common python3-neutron neutron-common iptables ebtables ipset conntrack bridge-utils iputils-arping kmod
}

# ---------------------------------------------------------------- the control plane, reachable from the private bridge
# The APIs listen on loopback only. One haproxy passes the bridge's address on to them; ../openstack/down.sh ends it too.
running() { local pid; recorded "$OPENSTACK/run/$1.pid"; }
forward() {
  local p; running rabbitmq && running keystone || die "the control plane is not up (../openstack/up.sh)"
  { printf 'global\n  maxconn 4000\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 24h\n  timeout server 24h\n  option clitcpka\n'
    for p in 5672 5000 8778 9292 9696 8776 8774; do printf 'listen p%s\n  bind %s:%s\n  server s 127.0.0.1:%s\n' $p "$CTL" $p $p; done
  } > "$OPENSTACK/etc/compute-hosts-haproxy.cfg"
  running compute-hosts-forward && return 0
  setsid /usr/sbin/haproxy -db -f "$OPENSTACK/etc/compute-hosts-haproxy.cfg" </dev/null >>"$OPENSTACK/log/compute-hosts-forward.log" 2>&1 &
  p=$!; disown; sleep 0.5
  [ -d "/proc/$p" ] || die "the forwarder ended (see $OPENSTACK/log/compute-hosts-forward.log)"
  echo "$p $(starttime $p)" > "$OPENSTACK/run/compute-hosts-forward.pid"
  say "forwarder up: $CTL -> 127.0.0.1"
}
underlay() { # one wire between the hosts' bridge and the lab's VXLAN underlay
  ip link show lab-wire-a >/dev/null 2>&1 || ip link add lab-wire-a type veth peer name lab-wire-b
  ip link set lab-wire-a master "$LAB_BRIDGE" up; ip link set lab-wire-b master lab-ul up
}

# ---------------------------------------------------------------- what a host gets
auth() { printf '[%s]\nauth_url = http://%s:5000/v3\nauth_type = password\nproject_domain_name = Default\nuser_domain_name = Default\nregion_name = RegionOne\nproject_name = service\nusername = %s\npassword = %s\n' "$1" "$CTL" "$2" "$PASS"; }
put() { # FILE MODE OWNER: from stdin, into the host's running root file system; what changed is applied below
  local t=$R$1.lab-new; mkdir -p "$(dirname "$R$1")"; cat > "$t"
  if cmp -s "$t" "$R$1"; then rm -f "$t"; return 0; fi
  chmod "$2" "$t"; chroot "$R" chown "$3" "$1.lab-new"; rm -f "$stamp"; mv "$t" "$R$1"
}
configure() { # NAME ADDRESS
  local n=$1 last=${2##*.} R=$HOSTS/machines/$1/root stamp=$HOSTS/machines/$1/compute-applied ul driver rabbit="rabbit://openstack:$PASS@$CTL:5672/"
  ul=172.31.77.$last; driver=${COMPUTE_DRIVER:-fake_lab_driver.LabDriver}
  { cat <<EOT
[DEFAULT]
host = $n
use_stderr = true
transport_url = $rabbit
state_path = /var/lib/nova
instances_path = /var/lib/nova/instances
compute_driver = $driver
report_interval = 5
service_down_time = 20
update_resources_interval = 15
allow_resize_to_same_host = false
[oslo_concurrency]
lock_path = /var/lib/nova/lock
[oslo_messaging_rabbit]
heartbeat_in_pthread = false
kombu_reconnect_delay = 0.5
[oslo_messaging_notifications]
driver = noop
[vnc]
enabled = false
[glance]
api_servers = http://$CTL:9292
EOT
    auth service_user nova; echo "send_service_user_token = true"
    auth placement placement; echo "endpoint_override = http://$CTL:8778"
    auth neutron neutron; echo "endpoint_override = http://$CTL:9696"
    auth cinder nova; echo "endpoint_template = http://$CTL:8776/v3/%(project_id)s"
  } | put /etc/nova/nova.conf 640 root:nova
  put /usr/local/lib/lab/fake_lab_driver.py 644 root:root < "$HERE/../openstack/fake_lab_driver.py"
  put /usr/local/bin/nova-compute 755 root:root <<'EOT'
#!/usr/bin/python3
import sys
from nova.cmd.compute import main
import nova.virt
nova.virt.__path__.append('/usr/local/lib/lab')
if __name__ == '__main__':
    sys.exit(main())
EOT
  put /etc/systemd/system/nova-compute.service 644 root:root <<'EOT'
[Unit]
Description=OpenStack Compute
Wants=network-online.target
After=network-online.target
[Service]
User=nova
ExecStart=/usr/local/bin/nova-compute --config-file /etc/nova/nova.conf
Restart=on-failure
RestartSec=5
TimeoutStopSec=30
[Install]
WantedBy=multi-user.target
EOT
  # the layer-2 agent: the same kind that ../openstack/up.sh runs for its own computes, on the same VXLAN underlay
  put /etc/systemd/network/10-host0.network.d/underlay.conf 644 root:root <<<"[Network]
Address=$ul/24"
  put /etc/neutron/neutron.conf 640 root:neutron <<EOT
[DEFAULT]
host = $n
use_stderr = true
transport_url = $rabbit
state_path = /var/lib/neutron
core_plugin = ml2
[agent]
report_interval = 5
polling_interval = 2
root_helper = sudo
[oslo_concurrency]
lock_path = /var/lib/neutron/lock
[experimental]
linuxbridge = true
[linux_bridge]
physical_interface_mappings =
[vxlan]
enable_vxlan = true
local_ip = $ul
l2_population = true
udp_dstport = 4789
[securitygroup]
enable_security_group = true
firewall_driver = iptables
[privsep]
helper_command = privsep-helper --config-file /etc/neutron/neutron.conf
[oslo_messaging_rabbit]
heartbeat_in_pthread = false
kombu_reconnect_delay = 0.5
EOT
  put /usr/local/sbin/ebtables 755 root:root < "$OPENSTACK/bin/ebtables"
  put /etc/systemd/system/neutron-l2.service 644 root:root <<'EOT'
[Unit]
Description=OpenStack Neutron layer-2 agent (linuxbridge)
Wants=network-online.target
After=network-online.target
[Service]
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStart=/usr/bin/neutron-linuxbridge-agent --config-file /etc/neutron/neutron.conf
Restart=on-failure
RestartSec=5
[Install]
WantedBy=multi-user.target
EOT
  local s="ssh -F $HOSTS/ssh_config -o BatchMode=yes $n"
  [ -e "$stamp" ] || { say "$n: files written"; $s 'install -d -o nova -g nova /var/lib/nova /var/lib/nova/instances /var/lib/nova/lock; install -d /var/lib/neutron/lock; mkdir -p /run/lock/nova
     systemctl daemon-reload; networkctl reload; systemctl enable -q systemd-networkd-wait-online nova-compute neutron-l2; systemctl restart nova-compute neutron-l2'; touch "$stamp"; }
  $s 'systemctl start nova-compute neutron-l2'
  # vmnet.sh finds a host by the network namespace lab-NAME: give it the host's own (anew after a reboot: run this script again)
  p=$(leader "$n"); [ "$(stat -Lc %i "/run/netns/lab-$n" 2>/dev/null)" = "$(stat -Lc %i "/proc/$p/ns/net")" ] || {
    umount -l "/run/netns/lab-$n" 2>/dev/null || true; rm -f "/run/netns/lab-$n"; ip netns attach "lab-$n" "$p"; }
}
leader() { cut -d' ' -f1 "/proc/$(cat "$HOSTS/run/$1.nspawn.pid")/task/$(cat "$HOSTS/run/$1.nspawn.pid")/children"; }

api() { /usr/bin/python3 - "$@" <<EOT
import sys, openstack
c = openstack.connect()
up = {s.host for s in c.compute.services() if s.binary == 'nova-compute' and s.state == 'up'}
hyp = {h.name for h in c.compute.hypervisors()}                # only what is mapped to a cell
l2 = {a.host for a in c.network.agents() if a.is_alive}
sys.exit(0 if set(sys.argv[1:]) <= up & hyp & l2 else 1)
EOT
}

case ${1:-} in layer) layer; exit ;; esac
NAMES=("$@"); [ ${#NAMES[@]} -gt 0 ] || NAMES=(cmp1 cmp2 cmp3)
for n in "${NAMES[@]}"; do [[ $n =~ ^cmp[0-9]+$ ]] || die "host name must be cmp and a number: $n"; done   # ../hosts/up.sh picks layer-cmp by the name
layer
"$HERE/../hosts/up.sh" "${NAMES[@]}"
forward; underlay
for n in "${NAMES[@]}"; do configure "$n" "$(address_of "$n")"; done
say "waiting until Nova and Neutron see them"
end=$((SECONDS+180))
until api "${NAMES[@]}"; do
  [ $SECONDS -lt $end ] || die "not all of ${NAMES[*]} came up (ssh -F $HOSTS/ssh_config NAME journalctl -u nova-compute -u neutron-l2)"
  for n in "${NAMES[@]}"; do
    r=$(ssh -F "$HOSTS/ssh_config" -o BatchMode=yes "$n" systemctl show -P NRestarts nova-compute neutron-l2 | sort -n | tail -1)
    [ "$r" -lt 5 ] || die "$n: a unit keeps failing (ssh -F $HOSTS/ssh_config $n journalctl -u nova-compute -u neutron-l2)"
  done
  sleep 2
done
say "up: ${NAMES[*]}"
