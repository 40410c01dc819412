import type { Fault } from '../../../fault.ts'
import { takes } from '../../../parameters.ts'
import type { CloudState } from '../../cloud.ts'
import { existing, type NovaServer, type NovaServiceRecord, type Upset } from '../state.ts'

export const host = { type: 'string', description: 'The compute host, as Nova names it' } as const
export const server = { type: 'string', description: 'The server, by name or id' } as const
export const times = { type: 'integer', description: 'How often; always unless told', minimum: 1 } as const
export const message = (usual: string) =>
  ({ type: 'string', description: 'What the host says about it', default: usual }) as const

/** The service of a compute host. @throws when there is none */
export function computeOn({ nova }: CloudState, host: unknown): NovaServiceRecord {
  const service = nova.services.find((one) => one.binary === 'nova-compute' && one.host === host)
  if (!service) throw new Error(`there is no compute host \`${host}\``)
  return service
}

/** The server a parameter names. @throws when there is none */
export function serverNamed({ nova }: CloudState, name: unknown): NovaServer {
  const found = existing(nova).find((one) => one.name === name || one.id === name)
  if (!found) throw new Error(`there is no server \`${name}\``)
  return found
}

export const running = ({ nova }: CloudState): NovaServer[] =>
  nova.servers.filter(({ vmState }) => vmState === 'active')

/** The parameters of what goes wrong with one server, as often as told. */
export function upsetting(more: Fault['params']['properties']): Fault['params'] {
  return takes({ server, ...more, times }, [...Object.keys(more), 'times'])
}

/** Lets a kind of work go wrong from now on. New servers may be named before they exist. */
export function upset(cloud: CloudState, kind: Upset['kind'], params: { readonly [name: string]: unknown }): void {
  const name = params['server']
  if (name !== undefined && !['spawn', 'unwired'].includes(kind)) serverNamed(cloud, name)
  cloud.nova.upsets.push({
    kind,
    server: name === undefined ? undefined : String(name),
    message: String(params['message'] ?? ''),
    factor: Number(params['factor'] ?? 1),
    left: Number(params['times'] ?? Number.POSITIVE_INFINITY),
  })
}
