import { readOptions } from '../commands/options.ts'
import type { Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'
import type { Ceph } from './model.ts'
import { mountFolder, occupy } from './occupy.ts'

/** The partition name by which Kolla knows a disk that is to become an OSD. */
const bootstrap = 'KOLLA_CEPH_OSD_BOOTSTRAP'

/** `kolla-ansible deploy -t ceph`: makes an OSD of every disk that is labelled for it, under the lowest free number. */
export function kollaProgram(machine: Machine, ceph: Ceph): Program {
  return async (me, args) => {
    const { flags, rest } = readOptions(args, ['t', 'tags', 'i', 'inventory'])
    if (rest[0] !== 'deploy' || (flags.get('t') ?? flags.get('tags')) !== 'ceph') {
      return refuse(me, 'kolla-ansible: only `deploy -t ceph` is part of this rehearsal', 1)
    }
    ceph.settle()
    for (const name of ceph.hosts) {
      const host = ceph.machine(name)
      for (const disk of host?.disks.filter(({ label }) => label === bootstrap) ?? []) {
        const osd = [...ceph.osds.values()].find(({ exists }) => !exists)
        if (!host || !osd) return refuse(me, `fatal: [${name}]: no number is free`, 2)
        occupy(host, ceph, osd, disk, { raw: true })
        mountFolder(host, osd.id)
        me.effect('host.kolla_ansible.deploy', `${name}:/dev/${disk.name}`, { osd: osd.id, serial: disk.serial })
        await me.sleep(40_000)
        await me.sleep(host.units.start(ceph.unitOf('osd', osd.id)) + 20)
      }
    }
    ceph.settle()
    me.out(`${machine.name} : ok=31 changed=4 unreachable=0 failed=0\n`)
    return 0
  }
}

function refuse(me: Process, why: string, code: number): number {
  me.err(`${why}\n`)
  return code
}
