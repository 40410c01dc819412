# Sourced by up.sh: writes every configuration file, launcher and client file. Written anew at each `up`.

rabbit="rabbit://openstack:$PASS@127.0.0.1:5672/"
rabbit_underlay="rabbit://openstack:$PASS@$UNDERLAY:5672/"
rpc="[oslo_messaging_rabbit]
heartbeat_in_pthread = false
kombu_reconnect_delay = 0.5
[oslo_messaging_notifications]
driver = noop"

db() { echo "mysql+pymysql://lab:$PASS@127.0.0.1:3306/$1?charset=utf8"; }

authtoken() { # USER
  cat <<EOF
[keystone_authtoken]
www_authenticate_uri = http://127.0.0.1:5000/
auth_url = http://127.0.0.1:5000/v3
memcached_servers = 127.0.0.1:11211
auth_type = password
project_domain_name = Default
user_domain_name = Default
project_name = service
username = $1
password = $PASS
service_token_roles = service
service_token_roles_required = true
EOF
}

client() { # SECTION USER
  cat <<EOF
[$1]
auth_url = http://127.0.0.1:5000/v3
auth_type = password
project_domain_name = Default
user_domain_name = Default
region_name = RegionOne
project_name = service
username = $2
password = $PASS
EOF
}

configure() {
  mkdir -p "$OPENSTACK"/{bin,lib,etc,log,run,mysql,rabbit,glance/images,nova,neutron/lock,cinder/{mnt,export,lock}} "$OPENSTACK"/etc/{keystone,placement,glance,nova,neutron,cinder}
  chmod 755 "$OPENSTACK" "$OPENSTACK"/{log,run,etc}
  launchers
  configure_rabbitmq
  configure_keystone
  configure_placement
  configure_glance
  configure_cinder
  configure_nova
  configure_neutron
  client_files
}

launchers() {
  local n w
  # Debian's daemon packages hold only a start script and pull in libvirt, open-iscsi...; the code is in python3-*.
  for w in nova-api:nova.cmd.api nova-scheduler:nova.cmd.scheduler nova-conductor:nova.cmd.conductor \
           nova-compute:nova.cmd.compute glance-api:glance.cmd.api cinder-api:cinder.cmd.api \
           cinder-scheduler:cinder.cmd.scheduler cinder-volume:cinder.cmd.volume; do
    n=${w%%:*}
    cat > "$OPENSTACK/bin/$n" <<EOF
#!/usr/bin/python3
import sys
sys.path.insert(0, '$OPENSTACK/lib')
from ${w#*:} import main
if __name__ == '__main__':
    sys.exit(main())
EOF
    chmod 755 "$OPENSTACK/bin/$n"
  done
  # the lab's own driver lies beside this script; nova loads drivers only from nova.virt, so its folder joins that package
  cp "$HERE/fake_lab_driver.py" "$OPENSTACK/lib/"
  sed -i "s|^if __name__|import nova.virt\nnova.virt.__path__.append('$OPENSTACK/lib')\n&|" "$OPENSTACK/bin/nova-compute"

  printf '#!/bin/sh\nexit 0\n' > "$OPENSTACK/bin/mount.nfs"; chmod 755 "$OPENSTACK/bin/mount.nfs"   # the NFS driver only looks whether it exists

  # Debian 12's ebtables (nft) cannot delete a rule with --among-src by its text: the agent then retries for ever and
  # applies no later change. Delete such a rule by its number.
  cat > "$OPENSTACK/bin/ebtables" <<'EOF'
#!/bin/bash
real=/usr/sbin/ebtables
case " $* " in
  *" -D "*" --among-src "*)
    t=filter; a=("$@")
    for ((i=0; i<${#a[@]}; i++)); do case ${a[i]} in -t) t=${a[i+1]} ;; -D) chain=${a[i+1]} ;; --among-src) mac=${a[i+1]} ;; esac; done
    n=$("$real" -t "$t" -L "$chain" --Ln | awk -F. -v m="--among-src $mac" 'index($0, m) { print $1+0; exit }')
    [ -n "$n" ] && exec "$real" -t "$t" -D "$chain" "$n"
    exit 0 ;;
esac
exec "$real" "$@"
EOF
  chmod 755 "$OPENSTACK/bin/ebtables"
}

configure_rabbitmq() {
  cat > "$OPENSTACK/etc/rabbitmq.conf" <<EOF
listeners.tcp.1 = 127.0.0.1:5672
listeners.tcp.2 = $UNDERLAY:5672
default_user = openstack
default_pass = $PASS
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 200MB
log.file = false
log.console = true
log.console.level = warning
EOF
}

configure_keystone() {
  cat > "$OPENSTACK/etc/keystone/keystone.conf" <<EOF
[DEFAULT]
log_dir =
use_stderr = true
[database]
connection = $(db keystone)
[cache]
enabled = true
backend = dogpile.cache.memcached
memcache_servers = 127.0.0.1:11211
[token]
provider = fernet
expiration = 86400
[fernet_tokens]
key_repository = $OPENSTACK/etc/keystone/fernet-keys
[credential]
key_repository = $OPENSTACK/etc/keystone/credential-keys
EOF
}

configure_placement() {
  { cat <<EOF
[DEFAULT]
use_stderr = true
[placement_database]
connection = $(db placement)
[api]
auth_strategy = keystone
EOF
    authtoken placement; } > "$OPENSTACK/etc/placement/placement.conf"
}

configure_glance() {
  { cat <<EOF
[DEFAULT]
bind_host = 127.0.0.1
bind_port = 9292
workers = 0
use_stderr = true
transport_url = $rabbit
enabled_backends = file:file
[database]
connection = $(db glance)
[glance_store]
default_backend = file
[file]
filesystem_store_datadir = $OPENSTACK/glance/images
[os_glance_staging_store]
filesystem_store_datadir = $OPENSTACK/glance/staging
[os_glance_tasks_store]
filesystem_store_datadir = $OPENSTACK/glance/tasks
[paste_deploy]
flavor = keystone
config_file = /etc/glance/glance-api-paste.ini
[image_format]
disk_formats = raw,qcow2,iso,ami,ari,aki,vhd,vmdk,vdi,ploop
EOF
    authtoken glance; } > "$OPENSTACK/etc/glance/glance-api.conf"
  mkdir -p "$OPENSTACK"/glance/{staging,tasks}
}

configure_cinder() {
  { cat <<EOF
[DEFAULT]
use_stderr = true
my_ip = 127.0.0.1
host = vol-1
osapi_volume_listen = 127.0.0.1
osapi_volume_listen_port = 8776
osapi_volume_workers = 1
transport_url = $rabbit
state_path = $OPENSTACK/cinder
api_paste_config = /etc/cinder/api-paste.ini
rootwrap_config = /etc/cinder/rootwrap.conf
auth_strategy = keystone
enabled_backends = nfs
default_volume_type = nfs
glance_api_servers = http://127.0.0.1:9292
image_conversion_dir = $OPENSTACK/cinder/conversion
report_interval = 5
service_down_time = 20
[nfs]
volume_driver = cinder.volume.drivers.nfs.NfsDriver
volume_backend_name = nfs
nfs_shares_config = $OPENSTACK/etc/cinder/nfs_shares
nfs_mount_point_base = $OPENSTACK/cinder/mnt
nfs_snapshot_support = true
nfs_qcow2_volumes = false
nfs_sparsed_volumes = true
nas_secure_file_operations = false
nas_secure_file_permissions = false
[database]
connection = $(db cinder)
[oslo_concurrency]
lock_path = $OPENSTACK/cinder/lock
$rpc
EOF
    authtoken cinder; client nova nova; client service_user cinder; echo "send_service_user_token = true"; } > "$OPENSTACK/etc/cinder/cinder.conf"
  echo "127.0.0.1:/lab" > "$OPENSTACK/etc/cinder/nfs_shares"
  mkdir -p "$OPENSTACK/cinder/conversion"
}

client_files() {
  cat > "$OPENSTACK/clouds.yaml" <<EOF
clouds:
  lab-admin:
    region_name: RegionOne
    identity_api_version: 3
    compute_api_version: "2.92"
    volume_api_version: "3.70"
    auth: {auth_url: http://127.0.0.1:5000/v3, username: admin, password: $PASS, project_name: admin, user_domain_name: Default, project_domain_name: Default}
  lab-demo:
    region_name: RegionOne
    identity_api_version: 3
    auth: {auth_url: http://127.0.0.1:5000/v3, username: demo, password: $PASS, project_name: demo, user_domain_name: Default, project_domain_name: Default}
EOF
  cat > "$OPENSTACK/openrc" <<EOF
export OS_AUTH_URL=http://127.0.0.1:5000/v3 OS_IDENTITY_API_VERSION=3 OS_REGION_NAME=RegionOne
export OS_USERNAME=admin OS_PASSWORD=$PASS OS_PROJECT_NAME=admin OS_USER_DOMAIN_NAME=Default OS_PROJECT_DOMAIN_NAME=Default
export OS_COMPUTE_API_VERSION=2.92 OS_VOLUME_API_VERSION=3.70 OS_PLACEMENT_API_VERSION=1.39
EOF
}
