import ssh2 from 'ssh2'
import { type Clock, createClock } from '../../../simulator/clock.ts'
import { createEstate, type ServedEstate, serveEstate } from '../../../simulator/hosts/index.ts'
import { createRandom } from '../../../simulator/random.ts'
import { type TopologyOverrides, topologyOf } from '../../../simulator/topology.ts'
import type { World } from '../../../simulator/world.ts'

const startAt = Date.parse('2026-11-21T08:00:00Z')

export interface Answer {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
  readonly signal: string | undefined
}

export interface TestWorld extends AsyncDisposable {
  readonly world: World
  readonly clock: Clock
  readonly served: ServedEstate
  readonly effects: { readonly kind: string; readonly what: string; readonly detail?: unknown }[]
  connect(host: string, user?: string): Promise<ssh2.Client>
  /** One command on a connection of its own. */
  run(host: string, command: string, options?: { readonly stdin?: string; readonly user?: string }): Promise<Answer>
}

/** A world of hosts behind real SSH servers; the OpenStack half is left out. */
export async function startWorld(overrides: TopologyOverrides = {}): Promise<TestWorld> {
  const topology = topologyOf(overrides)
  const clock = createClock({ startAt })
  const random = createRandom('test')
  const effects: TestWorld['effects'] = []
  const estate = createEstate(topology, clock, random)
  const world = {
    topology,
    clock,
    random,
    estate,
    cloud: undefined as never,
    effect: (kind: string, what: string, detail?: unknown) => void effects.push({ kind, what, detail }),
  } satisfies World
  const served = await serveEstate(world)

  function connect(host: string, user = 'root'): Promise<ssh2.Client> {
    const { address, port } = served.hosts[host] ?? { address: '', port: 0 }
    const client = new ssh2.Client()
    return new Promise((resolve, reject) => {
      client.on('ready', () => resolve(client))
      client.on('error', reject)
      client.connect({ host: address, port, username: user, privateKey: served.privateKey })
    })
  }

  return {
    world,
    clock,
    served,
    effects,
    connect,
    async run(host, command, { stdin = '', user = 'root' } = {}) {
      const client = await connect(host, user)
      try {
        return await execute(client, command, stdin)
      } finally {
        client.end()
      }
    },
    async [Symbol.asyncDispose]() {
      await served.close()
      clock.close()
    },
  }
}

export function execute(client: ssh2.Client, command: string, stdin = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(error)
      let stdout = ''
      let stderr = ''
      let ending: Pick<Answer, 'code' | 'signal'> = { code: null, signal: undefined }
      channel.on('data', (bytes: Buffer) => {
        stdout += bytes.toString()
      })
      channel.stderr.on('data', (bytes: Buffer) => {
        stderr += bytes.toString()
      })
      channel.on('exit', (code: number | null, signal?: string) => {
        ending = { code, signal }
      })
      channel.on('close', () => resolve({ stdout, stderr, ...ending }))
      channel.end(stdin)
    })
  })
}
