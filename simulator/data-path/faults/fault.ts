import type { Fault } from '../../fault.ts'
import type { Agent, Port } from '../../openstack/neutron/state.ts'
import { type FieldSchema, takes } from '../../parameters.ts'
import type { World } from '../../world.ts'
import type { Break, BreakKind } from '../state.ts'

const server: FieldSchema = { type: 'string', description: 'The server it is about, by name', default: 'web-1' }

type Params = Parameters<Fault['apply']>[1]

/** A fault about the port of a server. */
export function fault(
  name: Fault['name'],
  summary: string,
  apply: (world: World, port: Port, params: Params) => void,
  properties: { readonly [name: string]: FieldSchema } = {},
): Fault {
  return {
    name,
    summary,
    params: takes({ server, ...properties }),
    apply: (world, params) => apply(world, portOf(world, params['server']), params),
  }
}

/** A fault that is one break about the server's port on its own host. */
export const onCompute = (name: Fault['name'], summary: string, kind: BreakKind): Fault =>
  fault(name, summary, (world, port) => {
    breakIt(world, { kind, port: port.id, host: port['binding:host_id'] })
  })

export function breakIt({ cloud, clock }: World, what: Omit<Break, 'at'>): void {
  cloud.neutron.path.breaks.push({ ...what, at: clock.now() })
}

/** From now on an agent is not heard of: until it is restarted, or for good. */
export function silence({ clock }: World, agent: Agent, returns = true): void {
  const now = clock.now()
  agent.silent = { from: now - 20 * 60_000, noticed: returns ? now : Number.POSITIVE_INFINITY }
}

function portOf({ cloud: { neutron, nova } }: World, name: unknown): Port {
  const found = nova.servers.find((one) => one.name === name)
  const port = neutron.ports.find((one) => one.device_id === found?.id)
  if (port) return port
  throw new Error(`there is no server \`${String(name)}\` with a port`)
}
