import type { NovaServer, NovaState } from './state.ts'
import { existing } from './state.ts'

export interface Used {
  readonly vcpus: number
  readonly memoryMb: number
  readonly diskGb: number
}

/** What a server claims of its host; one that boots from a volume has no disk there. */
export const claimOf = ({ flavor, image }: NovaServer): Used => ({
  vcpus: flavor.vcpus,
  memoryMb: flavor.ram,
  diskGb: image === '' ? 0 : flavor.disk,
})

export const serversOn = (nova: NovaState, host: string): NovaServer[] =>
  existing(nova).filter((server) => server.host === host)

/** What all servers of a host claim together. */
export function usedOn(nova: NovaState, host: string): Used {
  return serversOn(nova, host)
    .map(claimOf)
    .reduce(
      (sum, { vcpus, memoryMb, diskGb }) => ({
        vcpus: sum.vcpus + vcpus,
        memoryMb: sum.memoryMb + memoryMb,
        diskGb: sum.diskGb + diskGb,
      }),
      { vcpus: 0, memoryMb: 0, diskGb: 0 },
    )
}
