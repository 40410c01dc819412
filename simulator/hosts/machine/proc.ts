import type { Machine, Nic } from './machine.ts'
import type { Unit } from './units.ts'

export const kernelRelease = '6.1.0-37-amd64'
export const kernelVersion = '#1 SMP PREEMPT_DYNAMIC Debian 6.1.140-1 (2025-05-22)'

/** Seconds since the machine booted. */
export const uptimeOf = (machine: Machine): number => Math.max(0, (machine.now() - machine.power.boot().at) / 1000)

/** Puts the files of `/proc` and `/sys` there that do not come and go. */
export function mountProc(machine: Machine): void {
  const { files, cpus, memory } = machine
  const uptime = () => uptimeOf(machine).toFixed(2)
  const provided: Readonly<Record<string, () => string>> = {
    '/proc/uptime': () => `${uptime()} ${(uptimeOf(machine) * cpus * 0.93).toFixed(2)}\n`,
    '/proc/loadavg': () =>
      `${machine.load.map((value) => value.toFixed(2)).join(' ')} 1/${180 + machine.units.list().length * 3} ${machine.processes.claimPid()}\n`,
    '/proc/sys/kernel/random/boot_id': () => `${machine.power.boot().id}\n`,
    '/proc/sys/kernel/random/uuid': () => `${machine.random.uuid()}\n`,
    '/proc/sys/kernel/hostname': () => `${machine.name}\n`,
    '/proc/sys/kernel/osrelease': () => `${machine.kernel}\n`,
    '/proc/sys/net/netfilter/nf_conntrack_count': () => '812\n',
    '/proc/sys/net/netfilter/nf_conntrack_max': () => '262144\n',
    '/proc/sys/fs/file-nr': () => '2976\t0\t9223372036854775807\n',
    '/proc/version': () =>
      `Linux version ${machine.kernel} (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40) ${kernelVersion}\n`,
    '/proc/cmdline': () => `BOOT_IMAGE=/boot/vmlinuz-${machine.kernel} root=/dev/sda1 ro quiet\n`,
    '/proc/meminfo': () => meminfo(memory),
    '/proc/cpuinfo': () =>
      Array.from(
        { length: cpus },
        (_, index) =>
          `processor\t: ${index}\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz\ncpu MHz\t\t: 2100.000\n`,
      ).join('\n'),
    '/proc/mounts': () =>
      machine.mounts.map(({ device, at, type, options }) => `${device} ${at} ${type} ${options} 0 0\n`).join(''),
    '/proc/net/dev': () => netDev(machine),
    '/proc/pressure/cpu': () => 'some avg10=0.00 avg60=0.00 avg300=0.00 total=1202334\n',
  }
  for (const [path, content] of Object.entries(provided)) files.provide(path, content)
  for (const nic of machine.nics) {
    const at = `/sys/class/net/${nic.name}`
    files.provide(`${at}/operstate`, () => (nic.up ? 'up\n' : 'down\n'))
    files.provide(`${at}/speed`, () => `${nic.speed}\n`)
    files.provide(`${at}/address`, () => `${nic.mac}\n`)
    files.provide(`${at}/statistics/rx_errors`, () => `${nic.rxErrors}\n`)
    files.provide(`${at}/statistics/tx_errors`, () => `${nic.txErrors}\n`)
  }
}

const shown = new WeakMap<Machine, Set<number>>()

/** Brings `/proc/PID` in line with the units that run. */
export function showUnitsInProc(machine: Machine): void {
  const before = shown.get(machine) ?? new Set()
  const running = machine.units.list().filter(({ mainPid }) => mainPid > 0)
  const now = new Set(running.map(({ mainPid }) => mainPid))
  for (const pid of before) if (!now.has(pid)) machine.files.remove(`/proc/${pid}`, { recursive: true })
  for (const unit of running) if (!before.has(unit.mainPid)) showUnit(machine, unit)
  shown.set(machine, now)
}

function showUnit({ files }: Machine, unit: Unit): void {
  const at = `/proc/${unit.mainPid}`
  const command = unit.kind.command
  const name = (command.split(' ')[0] ?? '').replace(/^.*\//, '').slice(0, 15)
  const limit = openFilesOf(unit)
  files.folder(`${at}/fd`, { parents: true })
  files.link(`${at}/fd/2`, unit.kind.errorLog?.() ?? `socket:[${40_000 + unit.mainPid}]`)
  files.provide(`${at}/cmdline`, () => `${command.split(' ').join('\0')}\0`)
  files.provide(`${at}/comm`, () => `${name}\n`)
  files.provide(
    `${at}/status`,
    () =>
      `Name:\t${name}\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t${unit.mainPid}\nPid:\t${unit.mainPid}\nPPid:\t1\n`,
  )
  files.provide(
    `${at}/limits`,
    () =>
      `${'Limit'.padEnd(26)}${'Soft Limit'.padEnd(21)}${'Hard Limit'.padEnd(21)}Units     \n${row('Max processes', 31_684, 31_684, 'processes')}${row('Max open files', limit, limit, 'files')}`,
  )
}

const row = (name: string, soft: number, hard: number, units: string) =>
  `${name.padEnd(26)}${String(soft).padEnd(21)}${String(hard).padEnd(21)}${units.padEnd(10)}\n`

/** The limit of open files a unit's process starts with: what the unit asks for, as far as the machine allows. */
export const openFilesOf = (unit: Unit): number => Math.min(askedFilesOf(unit), unit.filesAllowed)

/** The limit of open files a unit asks for: what the drop-ins said when systemd last read them, or the unit file. */
export function askedFilesOf(unit: Unit): number {
  const said = [...unit.loaded.text.matchAll(/^\s*LimitNOFILE\s*=\s*(\d+|infinity)/gm)].at(-1)?.[1]
  return said === undefined ? (unit.kind.openFiles ?? 1024) : said === 'infinity' ? 1_048_576 : Number(said)
}

function meminfo({ total, available }: { readonly total: number; readonly available: number }): string {
  const free = Math.round(available * 0.35)
  const cached = Math.max(0, available - free - 80_000)
  const values: Readonly<Record<string, number>> = {
    MemTotal: total,
    MemFree: free,
    MemAvailable: available,
    Buffers: 80_000,
    Cached: cached,
    SwapCached: 0,
    Active: Math.round(total * 0.31),
    Inactive: Math.round(total * 0.24),
    Dirty: 312,
    Writeback: 0,
    AnonPages: Math.round((total - available) * 0.9),
    Mapped: Math.round(total * 0.03),
    Shmem: 12_480,
    Slab: Math.round(total * 0.02),
    SwapTotal: 0,
    SwapFree: 0,
    CommitLimit: Math.round(total / 2),
    Committed_AS: total - available,
    HugePages_Total: 0,
  }
  return Object.entries(values)
    .map(([name, value]) =>
      name.startsWith('HugePages')
        ? `${`${name}:`.padEnd(16)}${String(value).padStart(8)}\n`
        : `${`${name}:`.padEnd(16)}${String(value).padStart(8)} kB\n`,
    )
    .join('')
}

/** Bytes and packets an interface has passed since the boot. */
export function trafficOf(machine: Machine, { name }: Pick<Nic, 'name'>): { bytes: number; packets: number } {
  const rate = name === 'lo' ? 20_000 : 450_000
  const bytes = Math.round(uptimeOf(machine) * rate)
  return { bytes, packets: Math.round(bytes / 640) }
}

function netDev(machine: Machine): string {
  const line = (name: string, rxErrors: number, txErrors: number) => {
    const { bytes, packets } = trafficOf(machine, { name })
    const columns = [bytes, packets, rxErrors, 0, 0, 0, 0, 0, Math.round(bytes * 0.8), packets, txErrors, 0, 0, 0, 0, 0]
    const widths = [7, 7, 4, 4, 4, 5, 10, 9, 8, 7, 4, 4, 4, 5, 7, 10]
    return `${`${name}:`.padStart(7)} ${columns.map((value, index) => String(value).padStart(widths[index] ?? 0)).join(' ')}\n`
  }
  return [
    'Inter-|   Receive                                                |  Transmit\n',
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n',
    line('lo', 0, 0),
    ...machine.nics.map(({ name, rxErrors, txErrors }) => line(name, rxErrors, txErrors)),
  ].join('')
}
