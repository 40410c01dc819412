#!/bin/bash
# rack.sh furnish [SERIAL]     OSD 3, which up.sh makes on a plain file, gets a disk with a label; LAB1000 unless told
# rack.sh plug SERIAL [SIZE]   a new disk is put in; says its path
# rack.sh unplug SERIAL        a disk is taken out
# rack.sh die SERIAL           nothing on the disk of OSD 3 can be read any more, and its daemon finds out
# rack.sh shift SERIAL OTHER   as after a boot: a new disk has the name of a dead one, which has another name and can be seen
# rack.sh clear                OSD 3 as up.sh makes it, and no trace of a rack
# What a technician does at the rack of host ceph1. A disk is a file behind a loop device; its label, which says its serial
# number, is the name of the file. A loop device has no serial number of its own, so the host gets a program that lists its
# disks as lsblk does, with what stands on the labels: /usr/local/sbin/list-disks.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab.sh"
part=rack
host=ceph1
disks=/srv/disks/$host
becomes() { there "for try in \$(seq 120); do ceph osd tree | grep -q ' osd[.]3 * $1 ' && exit 0; sleep 1; done; exit 1"; }
there() { ssh -F "$HOSTS/ssh_config" -o BatchMode=yes "$host" "$1"; }
# a daemon that was about to boot is `down` a moment after its end
no_disk='
  systemctl stop ceph-osd@3
  for try in 1 2 3 4 5 6 7 8 9; do ceph osd %s 3 --yes-i-really-mean-it --force && break; sleep 1; done
  mountpoint -q /var/lib/ceph/osd/ceph-3 && umount /var/lib/ceph/osd/ceph-3
  for loop in $(losetup -n -O NAME,BACK-FILE | grep " '$disks'/" | cut -d " " -f 1); do losetup -d $loop; done
  rm -rf /var/lib/ceph/osd/ceph-3 '$disks'/*.disk'

case ${1:-} in
  furnish)
    serial=${2:-LAB1000}
    there 'cat >/usr/local/sbin/list-disks; chmod 755 /usr/local/sbin/list-disks' <<'LIST'
#!/bin/bash
# as lsblk -J -b: the loop devices in this rack, each with the serial number on its label
printf '{"blockdevices":['
comma=
while read -r path file; do
  label=${file##*/}
  signature=$(blkid -p -s TYPE -o value "$path")
  printf '%s{"name":"%s","path":"%s","type":"loop","size":%s,"serial":"%s","model":"lab","rota":true,"fstype":%s,"mountpoint":null}' \
    "$comma" "${path#/dev/}" "$path" "$(blockdev --getsize64 "$path")" "${label%.disk}" "$([ -n "$signature" ] && echo "\"$signature\"" || echo null)"
  comma=,
done < <(losetup --list --noheadings --raw --output NAME,BACK-FILE | grep " /srv/disks/$(hostname)/.*[.]disk$")
printf ']}\n'
LIST
    there "$(printf "$no_disk" destroy); rm -f $disks/disk-3.img"
    path=$("$HERE/rack.sh" plug "$serial")
    there "ceph-volume raw prepare --bluestore --osd-id 3 --data $path 2>&1 &&
      ceph-volume raw activate --device $path --no-systemd 2>&1 &&
      systemctl reset-failed ceph-osd@3 && systemctl enable --now ceph-osd@3 2>&1 && ceph osd in 3 2>&1"
    becomes up
    ;;
  plug) there "truncate -s ${3:-4G} $disks/$2.disk && losetup --find --show $disks/$2.disk" ;;
  unplug) there "losetup --detach \$(losetup -n -O NAME -j $disks/$2.disk) && rm $disks/$2.disk" ;;
  die)
    there "truncate -s 0 $disks/$2.disk; systemctl kill -s KILL ceph-osd@3"
    becomes down
    ;;
  shift)
    there "f=$disks/$2.disk; old=\$(losetup -n -O NAME -j \$f | tr -d ' '); losetup --detach \$old && truncate -s 4G \$f $disks/$3.disk &&
      losetup \$old $disks/$3.disk && losetup --find \$f"
    ;;
  clear)
    there "$(printf "$no_disk" purge); rm -f /usr/local/sbin/list-disks"
    exec "$HERE/up.sh" --host "$host"
    ;;
  *) sed -n '2,7s/^# //p' "$0" >&2; exit 2 ;;
esac
