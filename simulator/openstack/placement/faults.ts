import type { Fault } from '../../fault.ts'
import { takes } from '../../parameters.ts'
import { uuidOf } from '../../random.ts'
import { projectIdOf, userIdOf } from '../keystone/state.ts'
import { allocationsOf, providersOf, sum } from './state.ts'

export const placementFaults: readonly Fault[] = [
  {
    name: 'placement.provider_missing',
    summary: 'Placement knows nothing of a compute host, so nothing is ever scheduled there',
    params: takes({ host: { type: 'string', description: 'The compute host' } }),
    apply({ cloud }, { host }) {
      if (!providersOf(cloud).some((one) => one.host === host)) throw new Error(`there is no compute host \`${host}\``)
      cloud.placement.missing.add(String(host))
    },
  },
  {
    name: 'placement.provider_replaced',
    summary: 'A compute host is another resource provider from its next boot on; its servers hold room of the old one',
    params: takes({ host: { type: 'string', description: 'The compute host' } }),
    apply({ cloud, estate }, { host }) {
      const provider = providersOf(cloud).find((one) => one.host === host)
      if (!provider) throw new Error(`there is no compute host \`${host}\``)
      estate.machines
        .get(provider.host)
        ?.power.onBoot(() => Object.assign(provider, { uuid: uuidOf(`provider/${provider.host}/again`) }))
    },
  },
  {
    name: 'placement.overcommitted',
    summary: 'Claims of servers that are long gone fill a host',
    params: takes(
      {
        host: { type: 'string', description: 'The compute host; the first unless told' },
        percent: {
          type: 'integer',
          description: 'How much of its memory is claimed',
          minimum: 1,
          maximum: 150,
          default: 95,
        },
      },
      ['host'],
    ),
    apply({ cloud }, { host, percent }) {
      const provider = providersOf(cloud).find((one) => host === undefined || one.host === host)
      if (!provider) throw new Error(`there is no compute host \`${host}\``)
      const used = sum(allocationsOf(cloud).filter((one) => one.host === provider.host))['MEMORY_MB'] ?? 0
      const wanted = Math.ceil(((provider.memoryMb - provider.reservedMb) * Number(percent)) / 100)
      if (wanted <= used) return
      cloud.placement.leftovers.push({
        consumer: uuidOf(`leftover/${provider.host}`),
        host: provider.host,
        resources: { VCPU: 4, MEMORY_MB: wanted - used },
        project: projectIdOf('ci'),
        user: userIdOf('ci-owner'),
      })
    },
  },
]
