import type { Preview } from '../../engine/action/contract.ts'
import { text } from '../../engine/action/define.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import { textAt } from './json-body.ts'
import { arrives, recorded, restsIn } from './judges.ts'
import { nameOf, type Operation, type Prepared } from './operation.ts'
import { type VmState, vmStateOf } from './server-state.ts'
import { computeVersions } from './versions.ts'

/** How the status is called in which a server with this state rests. */
const statusOf: { readonly [state in VmState]?: string } = {
  active: 'ACTIVE',
  stopped: 'SHUTOFF',
  paused: 'PAUSED',
  suspended: 'SUSPENDED',
}

interface Switch {
  readonly name: string
  readonly summary: string
  readonly description?: string
  /** Its key in the request. */
  readonly call: string
  readonly from: readonly VmState[]
  readonly to: VmState
  readonly task: string
}

/** From one state of power to another. */
function powerSwitch({ name, call, to, task, ...more }: Switch): Operation {
  return {
    ...more,
    name: `openstack.server.${name}`,
    effect: 'change',
    idempotent: true,
    action: name,
    underWay: [task],
    runs: to === 'active',
    holds: (server) => restsIn(server, to),
    request: () => ({ versions: computeVersions, body: () => ({ [call]: null }) }),
    judge: arrives(to),
    preview: ({ server }) => ({
      summary: `would ${name} \`${nameOf(server)}\``,
      changes: [{ path: `${nameOf(server)}.status`, before: server['status'] ?? null, after: statusOf[to] ?? to }],
    }),
  }
}

const switches: readonly Operation[] = [
  {
    name: 'start',
    summary: 'starts a server that is shut off, and waits until it is ACTIVE',
    call: 'os-start',
    from: ['stopped'] as const,
    to: 'active' as const,
    task: 'powering-on',
  },
  {
    name: 'stop',
    summary: 'shuts a server off, and waits until it is SHUTOFF',
    description:
      'The guest gets the time that `shutdown_timeout` of its image or of the host says, then it is switched off.',
    call: 'os-stop',
    from: ['active', 'error'] as const,
    to: 'stopped' as const,
    task: 'powering-off',
  },
  {
    name: 'pause',
    summary: 'freezes a server, and waits until it is PAUSED',
    description: 'What is paused lives in the memory of its host, and is lost when the host goes down.',
    call: 'pause',
    from: ['active'] as const,
    to: 'paused' as const,
    task: 'pausing',
  },
  {
    name: 'unpause',
    summary: 'lets a paused server go on',
    call: 'unpause',
    from: ['paused'] as const,
    to: 'active' as const,
    task: 'unpausing',
  },
  {
    name: 'suspend',
    summary: 'writes the memory of a server to disk and switches it off, and waits until it is SUSPENDED',
    call: 'suspend',
    from: ['active'] as const,
    to: 'suspended' as const,
    task: 'suspending',
  },
  {
    name: 'resume',
    summary: 'brings a suspended server back; a paused one takes `openstack.server.unpause`',
    call: 'resume',
    from: ['suspended'] as const,
    to: 'active' as const,
    task: 'resuming',
  },
].map(powerSwitch)

const hard = (params: JsonObject): boolean => params['type'] === 'HARD'

const reboot: Operation = {
  name: 'openstack.server.reboot',
  summary: 'reboots a server, and waits until Nova has written down that it did',
  description:
    '`SOFT` asks the guest, and falls back on switching it off when the guest does not listen; `HARD` switches it off and on, and writes its definition on the host anew.',
  effect: 'change',
  params: { type: text('`SOFT` asks the guest, `HARD` switches it off and on', { enum: ['SOFT', 'HARD'] }) },
  required: ['type'],
  example: { type: 'SOFT' },
  action: 'reboot',
  from: (params) => (hard(params) ? ['active', 'stopped', 'paused', 'suspended', 'error'] : ['active']),
  // a hard reboot is what gets a server out of a soft one that never ends
  breaksInto: (task, params) => hard(params) && ['rebooting', 'reboot_pending', 'reboot_started'].includes(task),
  request: ({ params }) => ({
    versions: computeVersions,
    body: () => ({ reboot: { type: params['type'] ?? 'SOFT' } }),
  }),
  proof: true,
  judge: recorded(({ seen }) => vmStateOf(seen.server) === 'active'),
  preview: ({ server, params }) => ({
    summary: `would reboot \`${nameOf(server)}\`: ${hard(params) ? 'switch it off and on' : 'ask its guest'}`,
    changes: [{ path: `${nameOf(server)}.booted`, before: server['status'] ?? null, after: 'again' }],
  }),
}

const lockedAs = (server: JsonObject, { reason }: JsonObject): boolean =>
  server['locked'] === true && (reason === undefined || textAt(server, 'locked_reason') === reason)

const lock: Operation = {
  name: 'openstack.server.lock',
  summary: 'locks a server: whoever is no administrator can no longer change it',
  effect: 'change',
  idempotent: true,
  params: { reason: text('Why; whoever meets the lock reads it', { minLength: 1, maxLength: 255 }) },
  example: { reason: 'the host is being rebooted' },
  action: 'lock',
  needsHost: false,
  // a lock does not wait for what is being done
  breaksInto: () => true,
  holds: lockedAs,
  request: ({ params: { reason } }) => ({
    versions: reason === undefined ? computeVersions : { min: '2.73', max: '2.100', what: 'a lock with a `reason`' },
    body: () => ({ lock: reason === undefined ? null : { locked_reason: reason } }),
  }),
  judge: ({ seen, attempt }) => (lockedAs(seen.server, attempt.params) ? 'done' : 'idle'),
  preview: (it) => lockPreview(it, true, it.params['reason'] ?? null),
}

const unlock: Operation = {
  name: 'openstack.server.unlock',
  summary: 'takes the lock off a server',
  effect: 'change',
  idempotent: true,
  action: 'unlock',
  needsHost: false,
  breaksInto: () => true,
  holds: (server) => server['locked'] === false,
  request: () => ({ versions: computeVersions, body: () => ({ unlock: null }) }),
  judge: ({ seen }) => (seen.server['locked'] === false ? 'done' : 'idle'),
  preview: (it) => lockPreview(it, false, null),
}

function lockPreview({ server }: Prepared, locked: boolean, reason: Json): Preview {
  const path = nameOf(server)
  return {
    summary: `would ${locked ? 'lock' : 'unlock'} \`${path}\``,
    changes: [
      { path: `${path}.locked`, before: server['locked'] ?? null, after: locked },
      { path: `${path}.locked_reason`, before: server['locked_reason'] ?? null, after: reason },
    ],
  }
}

export const powerOperations: readonly Operation[] = [...switches, reboot, lock, unlock]
