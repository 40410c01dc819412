import type { Fault } from '../../fault.ts'
import { fault, fromBoot, host, machineOf, nowOrFromBoot, sayKernel } from './fault.ts'

/** What can be wrong with the disks, the memory, the load and the clock of a host. */
export const hardwareFaults: Fault[] = [
  fault(
    'hosts.io_errors',
    'A disk answers with input and output errors',
    { host, device: { type: 'string', default: 'sda', description: 'The disk, without `/dev/`' } },
    (world, { host, device }) => {
      const machine = machineOf(world, host)
      const disk = machine.disks.find(({ name }) => name === device)
      if (!disk) throw new Error(`\`${machine.name}\` has no disk \`${String(device)}\``)
      disk.broken = true
      sayKernel(machine, 3, [
        `blk_update_request: I/O error, dev ${disk.name}, sector 7812934 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2`,
        `Buffer I/O error on dev ${disk.name}, logical block 976616, async page read`,
      ])
    },
  ),
  fault(
    'hosts.oom',
    'The kernel has killed a process, because there was no memory left',
    { host },
    (world, { host }) => {
      const machine = machineOf(world, host)
      machine.memory.available = Math.round(machine.memory.total * 0.03)
      sayKernel(machine, 3, [
        'Out of memory: Killed process 3121 (python3) total-vm:9182736kB, anon-rss:7340032kB, file-rss:0kB, shmem-rss:0kB, UID:115 pgtables:15232kB oom_score_adj:0',
      ])
    },
  ),
  fault(
    'hosts.high_load',
    'A host has more to do than it can',
    { host, load: { type: 'number', default: 90, minimum: 0, description: 'The load averages' } },
    (world, { host, load }) => {
      const machine = machineOf(world, host)
      machine.load = [Number(load), Number(load) * 0.97, Number(load) * 0.9]
    },
  ),
  fault(
    'hosts.clock_offset',
    'The clock of a host is wrong',
    {
      host,
      seconds: { type: 'number', default: 2.5, description: 'How far it is ahead; negative when it is behind' },
      from_boot: fromBoot,
    },
    (world, { host, seconds, from_boot }) => {
      const machine = machineOf(world, host)
      const turn = () => {
        machine.clockOffset = Number(seconds)
      }
      nowOrFromBoot(machine, from_boot, turn)
    },
  ),
]
