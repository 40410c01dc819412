import type { CloudWorld } from '../cloud.ts'
import { health } from './alive.ts'
import type { Flavor } from './state.ts'
import { usedOn } from './usage.ts'

/** The hosts that would take a server, those with the most free memory first. */
export function hostsFor(world: CloudWorld, { vcpus, ram }: Flavor): string[] {
  const { nova } = world.cloud
  const fitting = nova.hypervisors.flatMap((hypervisor) => {
    const { host, memoryMb, reservedMb, cpuRatio } = hypervisor
    const service = nova.services.find((one) => one.host === host && one.binary === 'nova-compute')
    const used = usedOn(nova, host)
    const freeRam = memoryMb - reservedMb - used.memoryMb
    const freeCpus = hypervisor.vcpus * cpuRatio - used.vcpus
    const takes = service && !service.disabled && health(world, service).up && freeRam >= ram && freeCpus >= vcpus
    return takes ? [{ host, freeRam }] : []
  })
  return fitting.sort((a, b) => b.freeRam - a.freeRam).map(({ host }) => host)
}
