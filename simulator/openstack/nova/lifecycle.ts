import type { CloudWorld } from '../cloud.ts'
import { second } from '../time.ts'
import { computeWorks } from './alive.ts'
import type { ActionEvent, InstanceAction, NovaServer, VmState } from './state.ts'

/** How a server goes from one state to another. */
export interface Transition {
  /** The action as `os-instance-actions` names it. */
  readonly action: string
  /** States it may begin in. */
  readonly from: readonly VmState[]
  /** The task while it is under way. */
  readonly task: string
  readonly event: string
  /** How long the host takes, in milliseconds. */
  readonly takes: number
  /** What the server is then. */
  readonly end: Pick<NovaServer, 'vmState' | 'powerState'>
}

const running = { vmState: 'active', powerState: 1 } as const

/** Server actions by their name in the API. */
export const transitions: { readonly [name: string]: Transition } = {
  'os-start': {
    action: 'start',
    from: ['stopped'],
    task: 'powering-on',
    event: 'compute_start_instance',
    takes: 3 * second,
    end: running,
  },
  'os-stop': {
    action: 'stop',
    from: ['active', 'error'],
    task: 'powering-off',
    event: 'compute_stop_instance',
    takes: 8 * second,
    end: { vmState: 'stopped', powerState: 4 },
  },
  'reboot.SOFT': {
    action: 'reboot',
    from: ['active'],
    task: 'rebooting',
    event: 'compute_reboot_instance',
    takes: 6 * second,
    end: running,
  },
  'reboot.HARD': {
    action: 'reboot',
    from: ['active', 'stopped', 'paused', 'suspended', 'error'],
    task: 'rebooting_hard',
    event: 'compute_reboot_instance',
    takes: 10 * second,
    end: running,
  },
  pause: {
    action: 'pause',
    from: ['active'],
    task: 'pausing',
    event: 'compute_pause_instance',
    takes: second,
    end: { vmState: 'paused', powerState: 3 },
  },
  unpause: {
    action: 'unpause',
    from: ['paused'],
    task: 'unpausing',
    event: 'compute_unpause_instance',
    takes: second,
    end: running,
  },
  suspend: {
    action: 'suspend',
    from: ['active'],
    task: 'suspending',
    event: 'compute_suspend_instance',
    takes: 10 * second,
    end: { vmState: 'suspended', powerState: 4 },
  },
  resume: {
    action: 'resume',
    from: ['suspended'],
    task: 'resuming',
    event: 'compute_resume_instance',
    takes: 6 * second,
    end: running,
  },
}

/** Who asked, for the record. */
export interface Asker {
  readonly requestId: string
  readonly user: string
  readonly project: string
}

/** Opens the record of an action on a server. */
export function recordAction(world: CloudWorld, server: NovaServer, action: string, asker: Asker): InstanceAction {
  const now = world.clock.now()
  const record: InstanceAction = {
    server: server.id,
    requestId: asker.requestId,
    action,
    user: asker.user,
    project: asker.project,
    startedAt: now,
    updatedAt: now,
    message: null,
    events: [],
  }
  world.cloud.nova.actions.push(record)
  return record
}

/**
 * Sets a server on its way; it arrives by itself when its host has had the time.
 * A host whose compute service does not work never begins: the task stays, as it does in a real cloud.
 */
export function begin(world: CloudWorld, server: NovaServer, transition: Transition, asker: Asker): void {
  const { clock } = world
  const record = recordAction(world, server, transition.action, asker)
  change(server, clock.now(), { taskState: transition.task })
  if (server.host === null || !computeWorks(world, server.host)) return
  const event: ActionEvent = {
    event: transition.event,
    startedAt: clock.now(),
    finishedAt: null,
    result: null,
    host: server.host,
    details: null,
  }
  record.events.push(event)
  clock.after(transition.takes, () => {
    if (server.vmState === 'deleted' || server.taskState !== transition.task) return
    const now = clock.now()
    change(server, now, { ...transition.end, taskState: null, fault: null })
    record.updatedAt = now
    event.finishedAt = now
    event.result = 'Success'
  })
}

/** Changes a server, and the time of its last change with it. */
export function change(server: NovaServer, at: number, to: Partial<NovaServer>): void {
  Object.assign(server, to, { updatedAt: at })
}
