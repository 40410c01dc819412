# Sourced after ../lab.sh by every script that deals with hosts.
#   LAB_NET      first three octets of the private network, default 10.77.0 (the bridge is .1)
#   LAB_BRIDGE   the bridge, default br-lab
#   LAB_MEM_MB   memory limit of a host, default 2048 (0: none)

LAB_NET=${LAB_NET:-10.77.0}
LAB_BRIDGE=${LAB_BRIDGE:-br-lab}
LAB_MEM_MB=${LAB_MEM_MB:-2048}

supervisor() { # NAME: prints the pid of the living supervisor of a host
  local p
  p=$(cat "$HOSTS/run/$1.pid" 2>/dev/null) && [ -n "$p" ] && [ -d "/proc/$p" ] &&
    tr '\0' ' ' <"/proc/$p/cmdline" | grep -q "lab-supervise-$1 " && echo "$p"
}
address_of() { awk -F'\t' -v n="$1" '$1==n{print $2}' "$HOSTS/hosts.tsv"; }
good_name() { [[ $1 =~ ^[a-z][a-z0-9]{0,10}$ ]]; }
on() { # HOST CMD...
  local h=$1
  shift
  ssh -F "$HOSTS/ssh_config" -o BatchMode=yes -o ConnectTimeout=5 "$h" "$@"
}
