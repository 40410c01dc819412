# Sourced by every script of the lab: where its state lives, how it speaks, installs packages and knows its own processes.
#   RUNBOOK_LAB   root of all state, default /var/lib/runbook-lab: hosts/ and openstack/ below it

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin   # Debian's python, never one from a version manager
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive HOME=/root
unset PYTHONDONTWRITEBYTECODE http_proxy https_proxy HTTP_PROXY HTTPS_PROXY || true

RUNBOOK_LAB=${RUNBOOK_LAB:-/var/lib/runbook-lab}
HOSTS=$RUNBOOK_LAB/hosts
OPENSTACK=$RUNBOOK_LAB/openstack

say() { printf '[%s %4ds] %s\n' "${part:-lab}" "$SECONDS" "$*" >&2; }
die() { say "failed: $*"; exit 1; }
need_root() { [ "$(id -u)" = 0 ] || die "run as root"; }

# Python packages are compiled all together when they are in: one by one, as each of them would have it, takes minutes.
DPKG_PATH=/usr/sbin:/usr/bin:/sbin:/bin   # apt's own default: dpkg does not get the PATH of this script
no_compiler() { # DIR: a place whose `py3compile` does nothing, to stand first on dpkg's path
  mkdir -p "$1"
  printf '#!/bin/sh\n' >"$1/py3compile"
  chmod 755 "$1/py3compile"
}
COMPILE='/usr/bin/python3 -m compileall -q -j 0 /usr/lib/python3/dist-packages >/dev/null 2>&1 || true' # templates do not compile

# Packages that are missing, without letting one of them start its daemon on this machine.
apt_install() { # LOG PACKAGE...
  local log=$1 missing=() p policy=/usr/sbin/policy-rc.d made= t=$SECONDS lazy=$RUNBOOK_LAB/no-compiler
  shift
  for p in "$@"; do dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || missing+=("$p"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${#missing[@]} packages (log: $log)"
  [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy; chmod 755 $policy; made=1; }
  no_compiler "$lazy"
  {
    apt-get update -q -o DPkg::Lock::Timeout=900 &&
      apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=900 -o "DPkg::Path=$lazy:$DPKG_PATH" \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "${missing[@]}" && eval "$COMPILE"
  } </dev/null >"$log" 2>&1 || { tail -20 "$log" >&2; [ -z "$made" ] || rm -f $policy; die "apt-get install (see $log)"; }
  [ -z "$made" ] || rm -f $policy
  say "packages installed in $((SECONDS - t))s"
}

# A process is known by its id and its start time together: an id alone may be somebody else's by now.
starttime() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '{print $20}'; }
recorded() { # FILE: sets pid; true when the process named in FILE still runs
  local start
  [ -s "$1" ] && read -r pid start <"$1" && [ -d "/proc/$pid" ] && [ "$(starttime "$pid")" = "$start" ]
}

# A layer: packages on top of the hosts' root file system, made once and shared read-only by all hosts of a kind.
build_layer() { # NAME AFTER PACKAGE...   (AFTER: shell text, run in the layer once the packages are in)
  local layer=$HOSTS/layer-$1 mnt=$HOSTS/layer-$1.mnt log=$HOSTS/run/layer-$1.log after=$2 ok=1
  [ ! -e "$layer.done" ] || return 0
  shift 2
  say "building ${layer##*/} (log: $log)"
  umount "$mnt/dev" "$mnt/proc" 2>/dev/null || true
  umount "$mnt" 2>/dev/null || true
  rm -rf --one-file-system "$layer" "$layer.work"
  mkdir -p "$layer" "$layer.work" "$mnt"
  mount -t overlay overlay -o "lowerdir=$HOSTS/base,upperdir=$layer,workdir=$layer.work" "$mnt"
  cp /etc/resolv.conf "$mnt/etc/resolv.conf"
  cp /etc/hosts "$mnt/etc/hosts"
  printf '#!/bin/sh\nexit 101\n' >"$mnt/usr/sbin/policy-rc.d"
  chmod 755 "$mnt/usr/sbin/policy-rc.d"
  mount -t proc proc "$mnt/proc"
  mount --bind /dev "$mnt/dev"
  no_compiler "$mnt/no-compiler"
  chroot "$mnt" sh -c "apt-get update && apt-get install -y --no-install-recommends -o DPkg::Path=/no-compiler:$DPKG_PATH \"\$@\" \
      && apt-get clean && { $COMPILE; } && $after" sh "$@" \
    </dev/null >"$log" 2>&1 || ok=0
  umount "$mnt/dev" "$mnt/proc"
  rm -rf "$mnt/usr/sbin/policy-rc.d" "$mnt/etc/hosts" "$mnt/no-compiler"
  umount "$mnt"
  [ $ok = 1 ] || { tail -20 "$log" >&2; die "${layer##*/} (see $log)"; }
  touch "$layer.done"
  say "${layer##*/} built: $(du -sm "$layer" | cut -f1) MB"
}
