import { amtoolProgram } from '../alertmanager/command.ts'
import { cephadmProgram } from '../ceph/cephadm.ts'
import { cephProgram } from '../ceph/command.ts'
import { kollaProgram } from '../ceph/kolla.ts'
import { cephVolumeProgram } from '../ceph/volume.ts'
import type { HostEstate } from '../estate.ts'
import { galeraPrograms } from '../galera/command.ts'
import type { Machine } from '../machine/machine.ts'
import type { Program } from '../machine/process.ts'
import { rabbitPrograms } from '../rabbitmq/command.ts'
import { ovnPrograms, tcpdumpProgram } from './captures.ts'
import { chronycProgram } from './chrony.ts'
import { diskPrograms } from './disks.ts'
import { encodingPrograms } from './encode.ts'
import { filePrograms } from './files.ts'
import { ipmitoolProgram } from './ipmitool.ts'
import { journalPrograms } from './journal.ts'
import { launcherPrograms } from './launchers.ts'
import { mountPrograms } from './mounts.ts'
import { networkPrograms } from './network.ts'
import { socketPrograms } from './sockets.ts'
import { switchPrograms } from './switches.ts'
import { systemPrograms } from './system.ts'
import { systemctlProgram } from './systemctl.ts'
import { toolPrograms } from './toolbox.ts'
import { virshProgram } from './virsh.ts'

/** Installs what a machine of its role can run; what is not here is `command not found`. */
export function installPrograms(machine: Machine, estate: HostEstate): void {
  const wiring = () => estate.wiring(machine.name)
  machine.strays = () => wiring().processes()
  const families: [string, Program][][] = [
    toolPrograms(machine),
    encodingPrograms(machine),
    filePrograms(machine),
    launcherPrograms(machine),
    systemPrograms(machine),
    journalPrograms(machine),
    networkPrograms(machine, (target) => isUp(estate, target), wiring),
    switchPrograms(machine.name, wiring),
    ovnPrograms(wiring),
    diskPrograms(machine),
    mountPrograms(machine),
    socketPrograms(machine, estate.haproxies.get(machine.name)),
    ...clusterPrograms(machine, estate),
    [
      ['tcpdump', tcpdumpProgram(machine, wiring)],
      ['chronyc', chronycProgram(machine)],
      [
        'ipmitool',
        ipmitoolProgram(machine, (board) => [...estate.machines.values()].find((one) => one.board === board)),
      ],
      ['systemctl', systemctlProgram(machine)],
    ],
  ]
  for (const [name, program] of families.flat()) machine.programs.set(name, program)
}

function isUp({ machines }: HostEstate, target: string): boolean {
  return [...machines.values()].some(
    ({ name, address, nics, power }) =>
      power.state() !== 'off' &&
      (name === target || address === target || nics.some((nic) => nic.up && nic.address === target)),
  )
}

function clusterPrograms(machine: Machine, estate: HostEstate): [string, Program][][] {
  const { ceph, galera, rabbit, topology } = estate
  const families: [string, Program][][] = []
  // the hosts with an administrator's keyring
  if (ceph.mons.includes(machine.name) || machine.name === topology.controllers[0]) {
    families.push([['ceph', cephProgram(machine, ceph)]])
  }
  const volume: [string, Program] = ['ceph-volume', cephVolumeProgram(machine, ceph)]
  if (machine.role === 'ceph') {
    const inside = new Map([volume, ['ceph', cephProgram(machine, ceph)]])
    families.push([topology.cephadm ? ['cephadm', cephadmProgram(machine, inside)] : volume])
  }
  if (machine.name === topology.controllers[0]) families.push([['kolla-ansible', kollaProgram(machine, ceph)]])
  if (machine.role === 'controller') {
    const find = (host: string) =>
      [...estate.machines.values()].find(({ name, address }) => name === host || address === host)
    families.push(rabbitPrograms(machine, rabbit), [['amtool', amtoolProgram(machine, estate.alertmanager, find)]])
  }
  if (machine.role === 'database') families.push(galeraPrograms(machine, galera))
  if (machine.role === 'compute') {
    families.push([
      [
        'virsh',
        virshProgram(
          machine,
          (host) => estate.guests(host),
          () => estate.wiring(machine.name),
        ),
      ],
    ])
  }
  return families
}
