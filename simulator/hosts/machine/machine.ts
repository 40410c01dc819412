import type { Clock } from '../../clock.ts'
import type { Random } from '../../random.ts'
import type { Container } from '../commands/docker.ts'
import { createFiles, type Files } from './files.ts'
import { guardedFiles } from './guard.ts'
import { createLog, type Log } from './log.ts'
import { createPipe } from './pipe.ts'
import { createPower, type Power } from './power.ts'
import { kernelRelease } from './proc.ts'
import { createProcessTable, type Kernel, type Process, type ProcessTable, type Program } from './process.ts'
import { createUnits, type UnitKind, type Units } from './units.ts'

export type Role = 'controller' | 'compute' | 'ceph' | 'database'

/** A mounted file system; sizes in KiB. */
export interface Mount {
  readonly device: string
  readonly at: string
  readonly type: string
  readonly options: string
  readonly size: number
  used: number
  readonly inodes: number
  inodesUsed: number
}

export interface Disk {
  readonly name: string
  /** Where it is in the host, counted from 0. */
  readonly slot: number
  readonly bytes: number
  readonly serial: string
  readonly model: string
  readonly rotational: boolean
  readonly parts: readonly { readonly name: string; readonly bytes: number }[]
  /** What stands on it: `LVM2_member`, or nothing when it is new. */
  signature: string | undefined
  /** It answers with input and output errors. */
  broken: boolean
  /** The name of its one partition, by which a deployment tool knows a disk that is meant for it. */
  label?: string
  /** It answers, and says that it will not for long. */
  failing?: boolean
}

/** What device-mapper shows: a logical volume, or what is encrypted while it is open. */
export interface Mapping {
  /** In `/dev/mapper`. */
  readonly name: string
  /** 0 is `/dev/dm-0`. */
  readonly number: number
  readonly kind: 'lvm' | 'crypt'
  readonly bytes: number
  /** By the names of the kernel: `sdb`, `dm-0`; on nothing when that is gone. */
  on: readonly string[]
  signature: string | undefined
}

export interface Nic {
  readonly name: string
  readonly mac: string
  /** None when it is empty. */
  address: string
  readonly prefix: number
  readonly speed: number
  up: boolean
  rxErrors: number
  txErrors: number
}

/** One simulated host: a Debian 12 machine, as far as its commands tell. */
export interface Machine extends Kernel {
  readonly name: string
  readonly role: Role
  /** On the management network, as the machine knows it; not where it is reached in the rehearsal. */
  readonly address: string
  /** Of its management board, on a network of its own. */
  readonly board: string
  readonly random: Random
  readonly clock: Clock
  readonly files: Files
  /** Paths that are neither files nor folders. */
  readonly special: Map<string, 'socket' | 'block' | 'character'>
  readonly processes: ProcessTable
  readonly programs: Map<string, Program>
  readonly units: Units
  readonly power: Power
  readonly journal: Log
  readonly kernelLog: Log
  readonly mounts: Mount[]
  readonly disks: Disk[]
  readonly mappings: Mapping[]
  readonly nics: Nic[]
  /** By name; `root` may do everything. */
  readonly users: ReadonlyMap<string, { readonly uid: number; readonly home: string }>
  /** Of users who have one: `sudo` asks them for it, and `su` asks for theirs. */
  readonly passwords: Map<string, string>
  readonly cpus: number
  /** KiB. */
  readonly memory: { readonly total: number; available: number }
  load: readonly [number, number, number]
  /** The kernel that runs, as `uname -r` says it. */
  kernel: string
  /** How far its clock is ahead of the true time, in seconds. */
  clockOffset: number
  readonly containers: Map<string, Container>
  /** Whether a service of it, by its unit, has no connection to RabbitMQ though it runs. */
  unconnected: (unit: string) => boolean
  readonly pipe: typeof createPipe
  /** Processes that no unit and no session started, such as the DHCP servers of the virtual networks. */
  strays: () => readonly { readonly pid: number; readonly user: string; readonly command: string }[]
  /** Its own clock, milliseconds since 1970: the world's, and how far it is off. */
  localTime(): number
  /** The files as a process may use them: what is not allowed fails, what is changed is recorded. */
  filesFor(me: Process): Files
  /** Sends a signal to a process, a group, or a unit's main process; whether there was one. */
  killProcess(pid: number, name: string, me: Process): boolean
}

export interface MachineOptions {
  readonly name: string
  readonly role: Role
  readonly address: string
  readonly cpus: number
  /** KiB. */
  readonly memory: number
  readonly units: readonly UnitKind[]
  readonly clock: Clock
  readonly random: Random
  /** World milliseconds since 1970. */
  readonly bootedAt: number
  /** Called when a unit or the power changes. */
  readonly changed: () => void
}

function idle(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const stop = () => {
      callOff()
      reject(signal.reason)
    }
    const callOff = clock.after(ms, () => {
      signal.removeEventListener('abort', stop)
      resolve()
    })
    signal.addEventListener('abort', stop, { once: true })
  })
}

export function createMachine(options: MachineOptions): Machine {
  const { name, role, address, cpus, memory, clock, random, bootedAt, changed } = options
  const now = () => clock.now()
  const kernel: Kernel = {
    now,
    sleep: (ms, signal) => clock.sleep(ms, signal),
    idle: (ms, signal) => idle(clock, ms, signal),
  }
  const files = createFiles(now)
  const processes = createProcessTable(kernel, random.between(4_000, 30_000))
  const journal = createLog()
  const kernelLog = createLog()
  const power = createPower({ clock, random, bootedAt, changed })
  const units = createUnits(options.units, { clock, journal, processes, power, files, changed })
  power.onOff(() => {
    processes.killAll()
    units.powerOff()
  })
  power.onBoot(() => units.boot())

  const machine: Machine = {
    ...kernel,
    name,
    role,
    address,
    board: address.replace('.77.', '.79.'),
    random,
    clock,
    files,
    special: new Map([['/dev/null', 'character']]),
    processes,
    programs: new Map(),
    units,
    power,
    journal,
    kernelLog,
    mounts: [],
    disks: [],
    mappings: [],
    nics: [],
    users: new Map([
      ['root', { uid: 0, home: '/root' }],
      ['ops', { uid: 1000, home: '/home/ops' }],
    ]),
    passwords: new Map(),
    cpus,
    memory: { total: memory, available: Math.round(memory * 0.62) },
    load: [0.18, 0.21, 0.2],
    kernel: kernelRelease,
    clockOffset: (random.next() - 0.5) * 0.0004,
    containers: new Map(),
    unconnected: () => false,
    pipe: createPipe,
    strays: () => [],
    localTime: () => now() + machine.clockOffset * 1000,
    filesFor: (me) => guardedFiles(machine, me),
    killProcess(pid, signal, me) {
      if (processes.kill(pid, signal) > 0) return true
      const unit = units.list().find(({ mainPid }) => mainPid === Math.abs(pid) && mainPid !== 0)
      if (!unit) return false
      if (signal === '0') return true
      me.effect('host.signal', name, { unit: unit.name, signal })
      units.killed(unit.name, signal)
      return true
    },
  }
  return machine
}
