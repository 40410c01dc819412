import type { Topology } from '../topology.ts'
import type { Tenant } from './keystone/state.ts'

/** What a healthy cloud has inside: one row per server, from which Nova, Neutron and Cinder build their own view. */
export interface Resident {
  readonly name: string
  readonly tenant: Tenant
  readonly flavor: string
  readonly host: string
  /** Boots from a volume instead of an image on the compute host. */
  readonly bootsFromVolume: boolean
  /** Size in GB of a further volume for data. */
  readonly dataVolume?: number
  readonly stopped: boolean
  /** How many days ago it was created. */
  readonly age: number
}

interface Role {
  readonly tenant: Tenant
  readonly role: string
  readonly flavor: string
  readonly bootsFromVolume?: true
  readonly dataVolume?: number
}

/** Twenty servers of the usual kinds; a larger cloud has the same again. */
const roles: readonly Role[] = [
  { tenant: 'shop', role: 'web', flavor: 'g1.small' },
  { tenant: 'shop', role: 'web', flavor: 'g1.small' },
  { tenant: 'shop', role: 'app', flavor: 'g1.medium' },
  { tenant: 'shop', role: 'db', flavor: 'g1.large', bootsFromVolume: true, dataVolume: 100 },
  { tenant: 'analytics', role: 'worker', flavor: 'g1.large' },
  { tenant: 'ci', role: 'runner', flavor: 'g1.medium' },
  { tenant: 'shop', role: 'web', flavor: 'g1.small' },
  { tenant: 'shop', role: 'app', flavor: 'g1.medium' },
  { tenant: 'analytics', role: 'worker', flavor: 'g1.large' },
  { tenant: 'ci', role: 'runner', flavor: 'g1.medium' },
  { tenant: 'shop', role: 'cache', flavor: 'g1.medium' },
  { tenant: 'analytics', role: 'store', flavor: 'g1.large', bootsFromVolume: true, dataVolume: 200 },
  { tenant: 'ci', role: 'runner', flavor: 'g1.medium' },
  { tenant: 'shop', role: 'app', flavor: 'g1.medium' },
  { tenant: 'analytics', role: 'dashboard', flavor: 'g1.small' },
  { tenant: 'ci', role: 'registry', flavor: 'g1.medium', bootsFromVolume: true, dataVolume: 100 },
  { tenant: 'shop', role: 'web', flavor: 'g1.small' },
  { tenant: 'analytics', role: 'worker', flavor: 'g1.large' },
  { tenant: 'ci', role: 'runner', flavor: 'g1.medium' },
  { tenant: 'shop', role: 'bastion', flavor: 'g1.tiny' },
]

/** Every so many servers one is switched off by its owner. */
const stoppedEvery = 13

export function residentsOf({ servers, computes }: Topology): Resident[] {
  const counts = new Map<string, number>()
  return Array.from({ length: servers }, (_, index): Resident => {
    const { role, ...rest } = roles[index % roles.length] as Role
    const number = (counts.get(role) ?? 0) + 1
    counts.set(role, number)
    return {
      ...rest,
      bootsFromVolume: rest.bootsFromVolume ?? false,
      name: `${role}-${number}`,
      host: computes[index % computes.length] as string,
      stopped: index % stoppedEvery === stoppedEvery - 1,
      age: 10 + ((index * 7) % 80),
    }
  })
}
