import { StepFailure } from '../../engine/action/contract.ts'
import { text } from '../../engine/action/define.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import { call, partOf } from './call.ts'
import { apiObject, orNull } from './fields.ts'
import { uuid } from './find-server.ts'
import { detailOf, type Judge, type Look } from './follow.ts'
import { objectsIn, textAt } from './json-body.ts'
import { segment } from './list.ts'
import { nameOf, type Operation } from './operation.ts'
import { taskOf, type VmState } from './server-state.ts'
import type { Session } from './session.ts'
import { computeVersions } from './versions.ts'

const volume = text('The volume, by id', { pattern: uuid.source.replaceAll('0-9a-f', '0-9a-fA-F') })
const result = {
  volume: orNull(
    apiObject('The volume', {
      id: text('UUID'),
      name: text('Its name'),
      status: text('`in-use`, `available`, …'),
      bootable: text('`true` where a server can boot from it'),
    }),
  ),
}
const states: readonly VmState[] = [
  'active',
  'paused',
  'stopped',
  'resized',
  'soft-delete',
  'shelved',
  'shelved_offloaded',
]

const isAttached = (server: JsonObject, { volume }: JsonObject): boolean =>
  objectsIn(server['os-extended-volumes:volumes_attached']).some(({ id }) => id === volume)

async function volumeOf(session: Session, id: Json | undefined, signal: AbortSignal): Promise<JsonObject> {
  const { name, status, bootable, multiattach } = partOf(
    await call(session, { service: 'block-storage', path: `/volumes/${segment(id)}` }, signal),
    'volume',
  )
  return {
    id: id ?? null,
    name: name ?? null,
    status: status ?? null,
    bootable: bootable ?? null,
    multiattach: multiattach ?? null,
  }
}

const lookAtVolume: NonNullable<Operation['look']> = async (session, { attempt }, signal) => ({
  volume: await volumeOf(session, attempt.params['volume'], signal),
})

/** Nova and Cinder each have a record of it: both must say so. */
const bothSay =
  (attached: boolean): Judge =>
  (look) => {
    const { server, more } = look.seen
    const status = textAt(more['volume'], 'status') ?? ''
    if (status.startsWith('error')) return inError(look, status)
    const shared = (more['volume'] as JsonObject | undefined)?.['multiattach'] === true
    const rests = attached ? status === 'in-use' : status === 'available' || (shared && status === 'in-use')
    if (rests && isAttached(server, look.attempt.params) === attached && taskOf(server) === null) return 'done'
    return ['reserved', 'attaching', 'detaching'].includes(status) ? 'waiting' : 'idle'
  }

const inError = ({ seen, attempt }: Look, status: string): StepFailure =>
  new StepFailure('volume_in_error', `the volume is \`${status}\``, {
    hint: 'compare what Nova and Cinder say of it before its state is reset',
    detail: { ...detailOf(attempt, seen), volume: attempt.params['volume'] ?? null },
  })

/** What attaching and detaching have in common. */
const ofVolume = {
  effect: 'change',
  idempotent: true,
  params: { volume },
  required: ['volume'],
  example: { volume: '6f6f4b3c-3f0c-4f5e-9a52-0d5c6a3b1c11' },
  result,
  from: states,
  look: lookAtVolume,
  grace: 30_000,
} satisfies Partial<Operation>

const attach: Operation = {
  name: 'openstack.server.attach_volume',
  summary: 'attaches a volume to a server, and waits until Nova and Cinder both say so',
  ...ofVolume,
  action: 'attach_volume',
  holds: isAttached,
  async prepare({ session, params }, signal) {
    const found = await volumeOf(session, params['volume'], signal)
    const free = found['status'] === 'available' || (found['status'] === 'in-use' && found['multiattach'] === true)
    if (!free)
      throw new StepFailure('wrong_state', `the volume is \`${String(found['status'])}\`, not \`available\``, {
        detail: { volume: found },
      })
    return {}
  },
  request: ({ params }) => ({
    path: '/os-volume_attachments',
    versions: computeVersions,
    body: () => ({ volumeAttachment: { volumeId: params['volume'] ?? '' } }),
  }),
  judge: bothSay(true),
  preview: ({ server, params }) => ({
    summary: `would attach a volume to \`${nameOf(server)}\``,
    changes: [
      { path: `volume ${String(params['volume'])}`, before: 'available', after: `attached to ${nameOf(server)}` },
    ],
  }),
}

const detach: Operation = {
  name: 'openstack.server.detach_volume',
  summary: 'detaches a volume from a server, and waits until Nova and Cinder both say so',
  description: 'The guest must have unmounted it before. The volume a server boots from is refused by Nova.',
  ...ofVolume,
  action: 'detach_volume',
  holds: (server, params) => !isAttached(server, params),
  request: ({ params }) => ({
    method: 'DELETE',
    path: `/os-volume_attachments/${segment(params['volume'])}`,
    versions: computeVersions,
  }),
  judge: bothSay(false),
  preview: ({ server, params }) => ({
    summary: `would detach a volume from \`${nameOf(server)}\``,
    changes: [
      { path: `volume ${String(params['volume'])}`, before: `attached to ${nameOf(server)}`, after: 'detached' },
    ],
  }),
}

export const attachOperations: readonly Operation[] = [attach, detach]
