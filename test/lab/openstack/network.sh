# Sourced by up.sh: the underlay. One network namespace per "host", joined by two bridges:
# lab-ul carries VXLAN and the message queue, lab-phys is the flat provider network `physnet1`.

make_underlay() {
  local bridge host n i
  for bridge in lab-ul lab-phys; do
    ip link show "$bridge" >/dev/null 2>&1 || ip link add "$bridge" type bridge
    ip link set "$bridge" up
  done
  ip addr replace "$UNDERLAY/24" dev lab-ul
  ip addr replace 172.31.78.1/24 dev lab-phys # the "outside" of physnet1
  n=0
  for host in net-1 $(for ((i = 1; i <= COMPUTES; i++)); do echo "compute-$i"; done); do
    if [ ! -e "/run/netns/lab-$host" ]; then
      ip netns add "lab-$host"
      ip link add "ul-$n" type veth peer name ul0 netns "lab-$host"
      ip link add "ph-$n" type veth peer name ext0 netns "lab-$host"
      ip link set "ul-$n" master lab-ul up
      ip link set "ph-$n" master lab-phys up
      ip -n "lab-$host" link set lo up
      ip -n "lab-$host" addr add "172.31.77.$((10 + n))/24" dev ul0
      ip -n "lab-$host" link set ul0 up
      ip -n "lab-$host" link set ext0 up
    fi
    n=$((n + 1))
  done
}

drop_underlay() {
  local n
  for n in /run/netns/lab-net-1 /run/netns/lab-compute-* /run/netns/lab-vm-*; do [ -e "$n" ] && ip netns del "$(basename "$n")"; done
  # the agents name theirs after the networks and routers of this lab
  for n in /run/netns/qdhcp-* /run/netns/qrouter-*; do [ -e "$n" ] && [ -d "$OPENSTACK" ] && ip netns del "$(basename "$n")"; done
  for n in lab-ul lab-phys; do ip link show $n >/dev/null 2>&1 && ip link del $n; done
  return 0
}
