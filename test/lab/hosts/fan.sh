#!/bin/bash
# fan.sh up|down|status        the cheap "hosts" for fan-out load tests
# Ten plain sshd (no systemd behind them) on 0.0.0.0, ports $FAN_PORT (2222) and up. Every address of 127.0.0.0/8 reaches
# them, so 127.1.0.1 .. 127.1.1.250 are 500 "hosts" with one host key and one disk (this machine's). Ten, one for each last
# digit of an address, because a listening sshd has room for 128 who knock: 500 hosts have such a room each.
#   ssh -F $RUNBOOK_LAB/hosts/fan.ssh_config 127.1.0.17 'echo "$SSH_CONNECTION"'      field 3 is the address that was called
# Key login only, with $RUNBOOK_LAB/hosts/id_lab, as the user "fan" this script makes: the start-up files of a real user may
# serialise 500 logins. Needs root.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab.sh"
part=fan
need_root
FAN_PORT=${FAN_PORT:-2222}; mkdir -p "$HOSTS/run" /run/sshd
digits='0 1 2 3 4 5 6 7 8 9'
pidf() { echo "$HOSTS/run/fan.$1.pid"; }
alive() { local p; p=$(cat "$(pidf "$1")" 2>/dev/null) && [ -n "$p" ] && tr '\0' ' ' <"/proc/$p/cmdline" 2>/dev/null | grep -q "$HOSTS/fan.sshd_config"; }
all_alive() { local d; for d in $digits; do alive "$d" || return 1; done; }
case ${1:-up} in
up)
  all_alive && { echo "fan sshd is up on port $FAN_PORT and the nine after it"; exit 0; }
  apt_install "$HOSTS/run/fan-apt.log" openssh-server openssh-client
  [ -e "$HOSTS/id_lab" ] || ssh-keygen -q -t ed25519 -N '' -C lab -f "$HOSTS/id_lab"
  id fan >/dev/null 2>&1 || useradd --system -M -d "$HOSTS/fan-home" -s /bin/bash -p '*' fan
  install -d -m755 -o fan -g "$(id -gn fan)" "$HOSTS/fan-home"
  [ -e "$HOSTS/fan_host_key" ] || ssh-keygen -q -t ed25519 -N '' -C fan -f "$HOSTS/fan_host_key"
  install -m644 "$HOSTS/id_lab.pub" "$HOSTS/fan.authorized_keys"
  cat > "$HOSTS/fan.sshd_config" <<E
ListenAddress 0.0.0.0
HostKey $HOSTS/fan_host_key
AuthorizedKeysFile $HOSTS/fan.authorized_keys
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
AllowUsers fan
PrintMotd no
PrintLastLog no
LogLevel ERROR
# OpenSSH 9.2's default sntrup761 exchange costs ~0.2 s of CPU a connection on each side here; this costs ~0.01 s
KexAlgorithms curve25519-sha256
# the settings that matter for 500 at once: the default MaxStartups 10:30:100 drops most of them
MaxStartups 2000
MaxSessions 100
LoginGraceTime 300
Subsystem sftp internal-sftp
E
  # refuse what comes from another machine: only loopback may log in
  printf 'Match Address *,!127.0.0.0/8\n  AuthorizedKeysFile none\n' >> "$HOSTS/fan.sshd_config"
  for d in $digits; do
    alive "$d" || /usr/sbin/sshd -f "$HOSTS/fan.sshd_config" -o "PidFile $(pidf "$d")" -p $((FAN_PORT + d)) -E "$HOSTS/run/fan.log" </dev/null
  done
  key=$(cut -d' ' -f1,2 "$HOSTS/fan_host_key.pub")
  { echo "127.* $key"; for d in $digits; do echo "[127.*]:$((FAN_PORT + d)) $key"; done; } > "$HOSTS/fan.known_hosts"
  { for d in $digits; do printf 'Host *%s\n  Port %s\n' "$d" $((FAN_PORT + d)); done
    printf 'Host *\n  User fan\n  KexAlgorithms curve25519-sha256\n  IdentityFile %s\n  IdentitiesOnly yes\n  UserKnownHostsFile %s\n  StrictHostKeyChecking yes\n' "$HOSTS/id_lab" "$HOSTS/fan.known_hosts"; } > "$HOSTS/fan.ssh_config"
  for _ in 1 2 3 4 5 6 7 8 9 10; do all_alive && break; sleep 0.2; done
  echo "fan sshd is up on port $FAN_PORT and the nine after it; client configuration $HOSTS/fan.ssh_config" ;;
down) for d in $digits; do if alive "$d"; then kill "$(cat "$(pidf "$d")")"; fi; done; echo "fan sshd is down (open sessions live on until they end)" ;;
status) all_alive && echo up || echo down ;;
esac
