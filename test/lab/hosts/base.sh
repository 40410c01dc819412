# Sourced by up.sh: the root file system all hosts share, built once.

build_base() {
  local f src=()
  [ -e "$HOSTS/base.done" ] && return 0
  say "building $HOSTS/base with mmdebstrap"
  rm -rf --one-file-system "$HOSTS/base"
  for f in /etc/apt/sources.list.d/*.sources /etc/apt/sources.list; do
    if [ -s "$f" ] && grep -q bookworm "$f"; then src+=("$f"); fi
  done
  mmdebstrap --mode=root --variant=minbase --skip=cleanup/apt/lists \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"' \
    --aptopt='APT::Install-Recommends "false"' \
    --include=systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,mariadb-server,iproute2,iputils-ping,procps,psmisc,sudo,less,ca-certificates,rsyslog,logrotate,python3-minimal,curl,cron \
    bookworm "$HOSTS/base" "${src[@]}" >"$HOSTS/run/mmdebstrap.log" 2>&1 ||
    { tail -20 "$HOSTS/run/mmdebstrap.log" >&2; die "mmdebstrap (see $HOSTS/run/mmdebstrap.log)"; }
  touch "$HOSTS/base.done"
}

finish_base() { # what may change between two versions of these scripts: written anew each time
  local base=$HOSTS/base
  [ -e "$HOSTS/id_lab" ] || ssh-keygen -q -t ed25519 -N '' -C lab -f "$HOSTS/id_lab"
  if ! cmp -s "$HOSTS/id_lab.pub" "$base/root/.ssh/authorized_keys"; then
    install -d -m700 "$base/root/.ssh"
    install -m600 "$HOSTS/id_lab.pub" "$base/root/.ssh/authorized_keys"
  fi
  if ! grep -q '^ops:' "$base/etc/passwd"; then # an unprivileged operator with sudo, as real hosts have
    chroot "$base" useradd -m -s /bin/bash ops
    echo 'ops ALL=(ALL) NOPASSWD:ALL' >"$base/etc/sudoers.d/ops"
    chmod 440 "$base/etc/sudoers.d/ops"
    install -d -m700 "$base/home/ops/.ssh"
    install -m600 "$HOSTS/id_lab.pub" "$base/home/ops/.ssh/authorized_keys"
    chroot "$base" chown -R ops:ops /home/ops/.ssh
  fi
  mkdir -p "$base/etc/systemd/journald.conf.d" "$base/etc/ssh/sshd_config.d"
  printf '[Journal]\nStorage=persistent\nSystemMaxUse=64M\n' >"$base/etc/systemd/journald.conf.d/lab.conf"
  printf 'MaxStartups 1000\nMaxSessions 200\nUseDNS no\n' >"$base/etc/ssh/sshd_config.d/lab.conf"
  : >"$base/etc/machine-id" # each host makes its own at first boot
  ln -sfn /lib/systemd/system/systemd-networkd.service "$base/etc/systemd/system/multi-user.target.wants/systemd-networkd.service"
  rm -f "$base/etc/systemd/system/multi-user.target.wants/e2scrub_reap.service"
}
