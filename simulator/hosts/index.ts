import type { World } from '../world.ts'
import { createKeyPair } from './keys.ts'
import { type HostServer, serveHost } from './server.ts'

export { createEstate } from './estate.ts'
export { hostFaults } from './faults.ts'

export interface ServedEstate {
  readonly hosts: Readonly<Record<string, { readonly address: string; readonly port: number }>>
  /** Lines for a `known_hosts` file. */
  readonly knownHosts: string
  /** The only key that opens the hosts, in OpenSSH's format; users are `root` and `ops`. */
  readonly privateKey: string
  close(): Promise<void>
}

/** Puts the world's hosts on loopback ports, each with a host key of its own. */
export async function serveEstate(world: World): Promise<ServedEstate> {
  const { estate } = world
  estate.ceph.effect = (kind, what, detail) => world.effect(kind, what, detail)
  const client = createKeyPair()
  const servers = new Map<string, HostServer>()
  const lines: string[] = []
  for (const [name, machine] of estate.machines) {
    const key = createKeyPair()
    const server = await serveHost({
      machine,
      hostKey: key.private,
      clientKey: client.public,
      reach: () => estate.reach.get(name) ?? 'answers',
      effect: (kind, what, detail) => world.effect(kind, what, detail),
    })
    servers.set(name, server)
    lines.push(`[127.0.0.1]:${server.port} ${key.public}\n`)
  }
  const refresh = () => {
    for (const server of servers.values()) server.refresh()
  }
  estate.onChange(refresh)
  refresh()
  return {
    hosts: Object.fromEntries([...servers].map(([name, { port }]) => [name, { address: '127.0.0.1', port }])),
    knownHosts: lines.join(''),
    privateKey: client.private,
    async close() {
      await Promise.all([...servers.values()].map((server) => server.close()))
    },
  }
}
