import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type BlockDevice, blockDevices, onIt } from '../../../simulator/hosts/block-devices.ts'
import { hostFaults } from '../../../simulator/hosts/index.ts'
import { startWorld } from '../../simulator/hosts/world.ts'

const root = mkdtempSync(join(tmpdir(), 'lsblk-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** The block devices of a rehearsed host as the kernel would show them: the part of /sys that lsblk reads. */
function show(devices: readonly BlockDevice[], at: string): void {
  const home = (device: BlockDevice): string => {
    const whole = device.type === 'part' ? devices.find(({ kname }) => kname === device.on[0]) : undefined
    return whole ? `${home(whole)}/${device.kname}` : `${at}/devices/virtual/block/${device.kname}`
  }
  const put = (path: string, content: string | number) => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${content}\n`)
  }
  const link = (path: string, target: string) => {
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync(relative(dirname(path), target), path)
  }
  for (const device of devices) {
    const { kname, name, major, minor, bytes, type, model, rotational } = device
    const own = home(device)
    for (const [file, content] of [
      ['dev', `${major}:${minor}`],
      ['uevent', `MAJOR=${major}\nMINOR=${minor}\nDEVNAME=${kname}\nDEVTYPE=${type === 'part' ? 'partition' : 'disk'}`],
      ['size', bytes / 512],
      ['ro', 0],
    ] as const)
      put(`${own}/${file}`, content)
    mkdirSync(`${own}/holders`, { recursive: true })
    link(`${at}/dev/block/${major}:${minor}`, own)
    if (type === 'part') {
      put(`${own}/partition`, kname.replace(/^.*\D/, ''))
      put(`${own}/start`, 2048)
      continue
    }
    put(`${own}/removable`, 0)
    put(`${own}/queue/rotational`, Number(rotational))
    mkdirSync(`${own}/slaves`, { recursive: true })
    link(`${at}/block/${kname}`, own)
    if (model !== undefined) put(`${own}/device/model`, model)
    if (type === 'disk') put(`${own}/device/state`, 'running')
    if (type === 'lvm' || type === 'crypt') {
      put(`${own}/dm/name`, name)
      put(`${own}/dm/uuid`, type === 'lvm' ? `LVM-${kname}` : `CRYPT-LUKS2-${kname}`)
      put(`${own}/dm/suspended`, 0)
    }
  }
  for (const device of devices)
    for (const holder of onIt(device, devices).filter(({ type }) => type !== 'part')) {
      link(`${home(holder)}/slaves/${device.kname}`, home(device))
      link(`${home(device)}/holders/${holder.kname}`, home(holder))
    }
}

/** In a place of its own, where this is /sys and where /dev has these devices alone. */
const around = `
mount --bind "$SYS" /sys
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/mapper
for each in /sys/dev/block/*; do
  number=\${each##*/} home=$(readlink -f "$each")
  mknod "/mnt/\${home##*/}" b "\${number%:*}" "\${number#*:}"
  [ ! -e "$home/dm" ] || ln -s "../\${home##*/}" "/mnt/mapper/$(cat "$home/dm/name")"
done
mknod /mnt/null c 1 3
mount --move /mnt /dev
eval "$COMMAND"`

const really = (command: string): Promise<{ code: unknown; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    const env = { ...process.env, LC_ALL: 'C.UTF-8', SYS: root, COMMAND: command }
    execFile('unshare', ['--mount', 'bash', '-ec', around], { env }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    )
  })

test('the rehearsed lsblk says of disks, volumes and what is encrypted on them what the real one says', async () => {
  await using world = await startWorld({ controllers: 1, computes: 1, databases: 1 })
  for (const [name, params] of [
    ['ceph.shared_database', { osd: 4, failing: false, logs: true }],
    ['ceph.encrypted', { osd: 4 }],
    ['ceph.disk_gone', { osd: 5 }],
  ] as const)
    hostFaults.find((fault) => fault.name === name)?.apply(world.world, params)
  const machine = world.world.estate.machines.get('ceph2')
  const devices = machine ? blockDevices(machine) : []
  show(devices, root)
  const encrypted = devices.find(({ type }) => type === 'crypt')?.path
  const columns = 'NAME,KNAME,PKNAME,PATH,MAJ:MIN,RM,SIZE,RO,TYPE,ROTA'
  for (const command of [
    `lsblk -o ${columns}`,
    `lsblk -s -o ${columns}`,
    `lsblk -J -o ${columns}`,
    `lsblk -J -s -b -o ${columns}`,
    `lsblk -nro ${columns}`,
    `lsblk -nrso ${columns}`,
    `lsblk -P -o ${columns}`,
    `lsblk -l -o ${columns}`,
    `lsblk -d -o ${columns}`,
    `lsblk -ds -o ${columns}`,
    `lsblk -p -o ${columns}`,
    'lsblk -J -l -o NAME',
    'lsblk -ro NAME,MODEL /dev/sda',
    'lsblk -e 8 -o NAME',
    'lsblk -I 253 -o NAME',
    'lsblk -s -I 253 -o NAME',
    'lsblk -J -o NAME,TYPE,MODEL,STATE /dev/sdb /dev/sdc',
    ...devices.flatMap(({ path }) => [
      `lsblk -nro NAME,TYPE ${path}`,
      `lsblk -nrso NAME,TYPE ${path}`,
      `lsblk -J -s -o ${columns} ${path}`,
      `lsblk -do ${columns} ${path}`,
    ]),
    `lsblk -s -o NAME ${encrypted} /dev/sdb /dev/sda1`,
    'lsblk /dev/nothing',
    'lsblk -J -o NAME /dev/nothing',
    'lsblk sda',
    'lsblk -no NAME /dev/nothing /dev/null /dev/sda1',
    'lsblk -o NAME,NOTHING',
    'lsblk -k',
    'lsblk --nothing',
  ]) {
    const { code, stdout, stderr } = await world.run('ceph2', command)
    expect({ command, code, stdout, stderr }).toEqual({ command, ...(await really(command)) })
  }
})
