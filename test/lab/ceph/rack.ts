import { execFile } from 'node:child_process'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { onHost } from '../support/hosts.ts'
import { eventually, lab, readLab } from '../support/lab.ts'

const host = 'ceph1'
const folder = `/srv/disks/${host}`

/**
 * What a technician does at the rack of the lab. A disk is a file behind a loop device; its label, which says its serial
 * number, is the name of the file. A loop device has no serial number of its own, so the host gets a program that lists
 * its disks as `lsblk` does, with what stands on the labels.
 */
export const disksCommand = '/usr/local/sbin/list-disks'

const listDisks = `#!/bin/bash
# as lsblk -J -b: the loop devices in this rack, each with the serial number on its label
printf '{"blockdevices":['
comma=
while read -r path file; do
  label=\${file##*/}
  signature=$(blkid -p -s TYPE -o value "$path")
  printf '%s{"name":"%s","path":"%s","type":"loop","size":%s,"serial":"%s","model":"lab","rota":true,"fstype":%s,"mountpoint":null}' \\
    "$comma" "\${path#/dev/}" "$path" "$(blockdev --getsize64 "$path")" "\${label%.disk}" "$([ -n "$signature" ] && echo "\\"$signature\\"" || echo null)"
  comma=,
done < <(losetup --list --noheadings --raw --output NAME,BACK-FILE | grep ' ${folder}/.*[.]disk$')
printf ']}\\n'
`

/** A shell script on the host, as root; what it wrote. Throws when it fails. */
export async function there(script: string, signal: AbortSignal): Promise<string> {
  const { code, stdout, stderr } = await onHost(host, script, signal)
  if (code !== 0) throw new Error(`\`${script}\` on ${host} ended with ${code}: ${stderr || stdout}`)
  return stdout
}

export const ceph = async (words: string, signal: AbortSignal) =>
  JSON.parse(await there(`ceph --connect-timeout 20 ${words} --format json`, signal))

/** Puts a new disk into the rack; the path it got. */
export const plug = (serial: string, signal: AbortSignal, bytes = '4G') =>
  there(`truncate -s ${bytes} ${folder}/${serial}.disk && losetup --find --show ${folder}/${serial}.disk`, signal)

export const unplug = (serial: string, signal: AbortSignal) =>
  there(`losetup --detach $(losetup -n -O NAME -j ${folder}/${serial}.disk) && rm ${folder}/${serial}.disk`, signal)

/** The disk dies: nothing on it can be read any more, and the daemon finds out. */
export async function die(serial: string, osd: number, signal: AbortSignal): Promise<void> {
  await there(`truncate -s 0 ${folder}/${serial}.disk; systemctl kill -s KILL ceph-osd@${osd}`, signal)
  await eventually(async () => {
    const { nodes } = await ceph('osd tree', signal)
    return nodes.some((node: { id: number; status: string }) => node.id === osd && node.status === 'down') || undefined
  }, signal)
}

/** OSD 3, which the lab makes on a plain file, gets a disk with a label. */
export async function furnishRack(serial: string, signal: AbortSignal): Promise<void> {
  await onHost(host, `cat >${disksCommand} <<'END'\n${listDisks}END\nchmod 755 ${disksCommand}`, signal)
  await there(
    `set -e
     systemctl stop ceph-osd@3
     ceph osd destroy 3 --yes-i-really-mean-it --force
     mountpoint -q /var/lib/ceph/osd/ceph-3 && umount /var/lib/ceph/osd/ceph-3
     for loop in $(losetup -n -O NAME,BACK-FILE | grep ' ${folder}/' | cut -d ' ' -f 1); do losetup -d $loop; done
     rm -rf /var/lib/ceph/osd/ceph-3 ${folder}/*.disk ${folder}/disk-3.img`,
    signal,
  )
  const path = await plug(serial, signal)
  await there(
    `ceph-volume raw prepare --bluestore --osd-id 3 --data ${path} 2>&1 &&
     ceph-volume raw activate --device ${path} --no-systemd 2>&1 &&
     systemctl reset-failed ceph-osd@3 && systemctl enable --now ceph-osd@3 2>&1 && ceph osd in 3 2>&1`,
    signal,
  )
}

/** OSD 3 as \`up.sh\` makes it, and no trace of a rack. */
export async function clearRack(signal: AbortSignal): Promise<void> {
  await onHost(
    host,
    `systemctl stop ceph-osd@3; ceph osd purge 3 --yes-i-really-mean-it --force
     mountpoint -q /var/lib/ceph/osd/ceph-3 && umount /var/lib/ceph/osd/ceph-3
     for loop in $(losetup -n -O NAME,BACK-FILE | grep ' ${folder}/' | cut -d ' ' -f 1); do losetup -d $loop; done
     rm -rf /var/lib/ceph/osd/ceph-3 ${folder}/*.disk ${disksCommand}`,
    signal,
  )
  await promisify(execFile)('bash', [resolve(import.meta.dirname, 'up.sh'), '--host', host], { signal })
}

/** An inventory with the host alone. */
export async function inventoryOfRack(): Promise<object> {
  const rows = (await readLab(lab.hosts)).trim().split('\n')
  const address = rows.map((row) => row.split('\t')).find(([name]) => name === host)?.[1]
  const keys = dirname(lab.hosts)
  const files = { identity_file: join(keys, 'id_lab'), known_hosts: join(keys, 'known_hosts'), config: '/dev/null' }
  return { apiVersion: 'runbook/v1', hosts: { [host]: { address } }, ssh: { user: 'root', ...files } }
}
