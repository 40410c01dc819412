import type { Guest } from '../estate.ts'
import type { Machine } from '../machine/machine.ts'
import type { Program } from '../machine/process.ts'
import type { Wiring } from '../wiring.ts'
import { readOptions } from './options.ts'

/** `virsh list` and `domiflist` of a compute host: the servers the cloud has placed on it, and their interfaces. */
export function virshProgram(
  machine: Machine,
  guests: (host: string) => readonly Guest[],
  wiring: () => Wiring,
): Program {
  return async (me, args) => {
    const { flags, rest } = readOptions(args, ['c', 'connect'])
    if (machine.units.find('libvirtd')?.active !== 'active') {
      me.err(
        "error: failed to connect to the hypervisor\nerror: Failed to connect socket to '/var/run/libvirt/libvirt-sock': Connection refused\n",
      )
      return 1
    }
    const shown = guests(machine.name).filter(
      ({ running, paused }) => running || paused || flags.has('all') || flags.has('inactive'),
    )
    switch (rest[0]) {
      case 'list':
        if (flags.has('name') || flags.has('uuid')) {
          me.out(`${shown.map(({ name, uuid }) => `${flags.has('name') ? name : uuid}\n`).join('')}\n`)
        } else {
          me.out(' Id   Name                State\n-----------------------------------\n')
          for (const [index, { name, running, paused }] of shown.entries()) {
            const on = running || paused
            me.out(
              ` ${on ? String(index + 1).padEnd(4) : '-   '} ${name.padEnd(19)} ${paused ? 'paused' : running ? 'running' : 'shut off'}\n`,
            )
          }
          me.out('\n')
        }
        return 0
      case 'domiflist': {
        const domain = guests(machine.name).find(({ name, uuid }) => name === rest[1] || uuid === rest[1])
        if (!domain) {
          me.err(`error: failed to get domain '${rest[1] ?? ''}'\n`)
          return 1
        }
        me.out(' Interface        Type     Source           Model    MAC\n')
        me.out('-----------------------------------------------------------------------\n')
        for (const { device, type, source, model, mac } of wiring().interfacesOf(domain.name)) {
          me.out(` ${device.padEnd(16)} ${type.padEnd(8)} ${source.padEnd(16)} ${model.padEnd(8)} ${mac}\n`)
        }
        me.out('\n')
        return 0
      }
      case 'version':
        me.out(
          'Compiled against library: libvirt 9.0.0\nUsing library: libvirt 9.0.0\nUsing API: QEMU 9.0.0\nRunning hypervisor: QEMU 7.2.17\n\n',
        )
        return 0
      case 'nodeinfo':
        me.out(
          `CPU model:           x86_64\nCPU(s):              ${machine.cpus}\nMemory size:         ${machine.memory.total} KiB\n\n`,
        )
        return 0
      default:
        me.err(`error: unknown command: '${rest[0] ?? ''}'\n`)
        return 1
    }
  }
}
