import type { Flavor, NovaServer, NovaState } from './state.ts'
import { existing } from './state.ts'

export interface Used {
  readonly vcpus: number
  readonly memoryMb: number
  readonly diskGb: number
}

/** What a flavor claims of a host; a server that boots from a volume has no disk there. */
const claimOf = ({ image }: NovaServer, flavor: Flavor): Used => ({
  vcpus: flavor.vcpus,
  memoryMb: flavor.ram,
  diskGb: image === '' ? 0 : flavor.disk,
})

export const serversOn = (nova: NovaState, host: string): NovaServer[] =>
  existing(nova).filter((server) => server.host === host)

/** One claim on a host; `consumer` is the server, or the migration that may still need it. */
export interface Claim {
  readonly consumer: string
  readonly server: NovaServer
  readonly host: string
  readonly used: Used
}

/** Everything that servers claim, also where they may go back to. */
export function claims(nova: NovaState): Claim[] {
  const own = existing(nova).flatMap((server): Claim[] => {
    const host = server.claimed?.host ?? server.host
    if (host === null) return []
    return [{ consumer: server.id, server, host, used: claimOf(server, server.claimed?.flavor ?? server.flavor) }]
  })
  const held = nova.holds.flatMap(({ consumer, server: id, host, flavor }): Claim[] => {
    const server = nova.servers.find((one) => one.id === id)
    return server && server.vmState !== 'deleted' ? [{ consumer, server, host, used: claimOf(server, flavor) }] : []
  })
  return [...own, ...held]
}

/** What is claimed of a host in all. */
export function usedOn(nova: NovaState, host: string): Used {
  return claims(nova)
    .filter((claim) => claim.host === host)
    .reduce(
      (sum, { used: { vcpus, memoryMb, diskGb } }) => ({
        vcpus: sum.vcpus + vcpus,
        memoryMb: sum.memoryMb + memoryMb,
        diskGb: sum.diskGb + diskGb,
      }),
      { vcpus: 0, memoryMb: 0, diskGb: 0 },
    )
}
