# Sourced by up.sh and down.sh, after ../lab.sh: what can be chosen about the OpenStack lab.

part=openstack
COMPUTES=${COMPUTES:-3}
COMPUTE_DRIVER=${COMPUTE_DRIVER:-fake_lab_driver.LabDriver} # or one of nova's own: fake.MediumFakeDriver
PASS=${LAB_PASSWORD:-labpass}
UNDERLAY=172.31.77.1 # this machine on the lab-ul bridge
CINDER_SHARE=$OPENSTACK/cinder/mnt/$(printf %s 127.0.0.1:/lab | md5sum | cut -d' ' -f1)

PACKAGES=(mariadb-server rabbitmq-server memcached uwsgi-core uwsgi-plugin-python3
  python3-keystone glance-common python3-glance placement-common python3-placement
  nova-common python3-nova neutron-common python3-neutron cinder-common python3-cinder
  python3-openstackclient python3-osc-placement python3-pymysql python3-memcache
  dnsmasq-base dnsmasq-utils haproxy iptables ebtables ipset conntrack bridge-utils keepalived radvd
  iputils-arping iputils-ping sudo iproute2 qemu-utils isc-dhcp-client tcpdump curl ca-certificates procps)
