# Sourced after lab.sh. Whether this machine can carry the lab: prints the reason it cannot, or nothing.

why_not() {
  local release=''
  [ -r /etc/os-release ] && release=$(. /etc/os-release && echo "$ID $VERSION_ID")
  if [ "$release" != 'debian 12' ]; then echo "the lab is made of the packages of Debian 12, and this is ${release:-no Debian}"
  elif [ "$(id -u)" != 0 ]; then echo "the lab needs root: network namespaces, mounts and packages"
  elif [ "$(awk '/^MemTotal/{print int($2 / 1048576)}' /proc/meminfo)" -lt 11 ]; then echo "the lab needs 12 GB of memory"
  elif ! unshare -nm true 2>/dev/null; then echo "this machine lets nobody make network namespaces"
  fi
}
