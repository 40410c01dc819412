# Sourced by up.sh beside configure.sh: the files of Nova and Neutron, which know the hosts.

configure_nova() {
  local n
  { cat <<EOF
[DEFAULT]
use_stderr = true
host = ctl-1
my_ip = 127.0.0.1
transport_url = $rabbit
state_path = $OPENSTACK/nova
enabled_apis = osapi_compute,metadata
osapi_compute_listen = 127.0.0.1
osapi_compute_workers = 1
metadata_listen = 127.0.0.1
metadata_workers = 1
compute_driver = $COMPUTE_DRIVER
report_interval = 5
service_down_time = 20
allow_resize_to_same_host = false
update_resources_interval = 15
default_schedule_zone = nova
[api]
auth_strategy = keystone
[api_database]
connection = $(db nova_api)
[database]
connection = $(db nova_cell1)
[wsgi]
api_paste_config = /etc/nova/api-paste.ini
[conductor]
workers = 1
[scheduler]
workers = 1
discover_hosts_in_cells_interval = 15
[filter_scheduler]
track_instance_changes = true
[oslo_concurrency]
lock_path = $OPENSTACK/nova/lock
[service_user]
send_service_user_token = true
auth_url = http://127.0.0.1:5000/v3
auth_type = password
project_domain_name = Default
user_domain_name = Default
project_name = service
username = nova
password = $PASS
[glance]
api_servers = http://127.0.0.1:9292
[vnc]
enabled = false
$rpc
EOF
    authtoken nova; client placement placement; client cinder nova
    client neutron neutron
    echo "service_metadata_proxy = true"; echo "metadata_proxy_shared_secret = $PASS"; } > "$OPENSTACK/etc/nova/nova.conf"
  for ((n=1; n<=COMPUTES; n++)); do
    mkdir -p "$OPENSTACK/nova/compute-$n/lock"
    cat > "$OPENSTACK/etc/nova/compute-$n.conf" <<EOF
[DEFAULT]
host = compute-$n
state_path = $OPENSTACK/nova/compute-$n
instances_path = $OPENSTACK/nova/compute-$n/instances
[oslo_concurrency]
lock_path = $OPENSTACK/nova/compute-$n/lock
EOF
  done
}

configure_neutron() {
  { cat <<EOF
[DEFAULT]
use_stderr = true
bind_host = 127.0.0.1
bind_port = 9696
transport_url = $rabbit
state_path = $OPENSTACK/neutron
api_paste_config = /etc/neutron/api-paste.ini
core_plugin = ml2
service_plugins = router
auth_strategy = keystone
api_workers = 1
rpc_workers = 1
rpc_state_report_workers = 0
agent_down_time = 20
dhcp_agents_per_network = 1
allow_automatic_dhcp_failover = true
notify_nova_on_port_status_changes = true
notify_nova_on_port_data_changes = true
global_physnet_mtu = 1500
[agent]
report_interval = 5
root_helper = sudo
[database]
connection = $(db neutron)
[oslo_concurrency]
lock_path = $OPENSTACK/neutron/lock
[experimental]
linuxbridge = true
$rpc
EOF
    authtoken neutron; client nova nova; client placement placement; } > "$OPENSTACK/etc/neutron/neutron.conf"
  cat > "$OPENSTACK/etc/neutron/ml2.ini" <<EOF
[ml2]
type_drivers = flat,vxlan
tenant_network_types = vxlan
mechanism_drivers = linuxbridge,l2population
extension_drivers = port_security
[ml2_type_flat]
flat_networks = physnet1
[ml2_type_vxlan]
vni_ranges = 1000:2000
[securitygroup]
enable_security_group = true
firewall_driver = iptables
EOF
  local h ip
  for h in net-1:10 $(for ((n=1; n<=COMPUTES; n++)); do echo "compute-$n:$((10+n))"; done); do
    ip=172.31.77.${h#*:}; h=${h%%:*}
    mkdir -p "$OPENSTACK/neutron/$h/lock"
    cat > "$OPENSTACK/etc/neutron/host-$h.ini" <<EOF
[DEFAULT]
host = $h
transport_url = $rabbit_underlay
state_path = $OPENSTACK/neutron/$h
interface_driver = linuxbridge
dhcp_driver = neutron.agent.linux.dhcp.Dnsmasq
enable_isolated_metadata = true
enable_metadata_network = false
resync_interval = 5
[agent]
polling_interval = 2
report_interval = 5
root_helper = sudo
[privsep]
helper_command = env PATH=$OPENSTACK/bin:$PATH privsep-helper --config-file $OPENSTACK/etc/neutron/neutron.conf --config-file $OPENSTACK/etc/neutron/ml2.ini --config-file $OPENSTACK/etc/neutron/host-$h.ini
[linux_bridge]
physical_interface_mappings = physnet1:ext0
[vxlan]
enable_vxlan = true
local_ip = $ip
l2_population = true
udp_dstport = 4789
[securitygroup]
enable_security_group = true
firewall_driver = iptables
[oslo_concurrency]
lock_path = $OPENSTACK/neutron/$h/lock
EOF
  done
  # the metadata agent runs outside the host namespaces (it must reach nova's metadata API on 127.0.0.1)
  cat > "$OPENSTACK/etc/neutron/metadata-agent.ini" <<EOF
[DEFAULT]
host = net-1
state_path = $OPENSTACK/neutron/net-1
nova_metadata_host = 127.0.0.1
nova_metadata_port = 8775
metadata_proxy_shared_secret = $PASS
metadata_workers = 0
[agent]
report_interval = 5
EOF
}
