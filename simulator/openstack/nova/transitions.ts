import type { CloudWorld } from '../cloud.ts'
import { plugged, unpluggable } from '../neutron/binding.ts'
import { second } from '../time.ts'
import { type Asker, beginEvent, change, fail, onHost, recordAction, succeed } from './lifecycle.ts'
import type { NovaServer, VmState } from './state.ts'

/** How a server goes from one state to another on its host. */
export interface Transition {
  /** The action as `os-instance-actions` names it. */
  readonly action: string
  /** States it may begin in. */
  readonly from: readonly VmState[]
  /** Tasks that do not keep it from beginning. */
  readonly during?: readonly string[]
  /** The tasks while it is under way, one after the other. */
  readonly tasks: readonly string[]
  readonly event: string
  /** How long the host takes, in milliseconds. */
  readonly takes: number
  /** What the server is then. */
  readonly end: Pick<NovaServer, 'vmState' | 'powerState'>
  /** The guest is started anew, and its ports are plugged for it. */
  readonly plugs?: true
}

const running = { vmState: 'active', powerState: 1 } as const

/** Server actions by their name in the API. */
export const transitions: { readonly [name: string]: Transition } = {
  'os-start': {
    action: 'start',
    from: ['stopped'],
    tasks: ['powering-on'],
    event: 'compute_start_instance',
    takes: 3 * second,
    end: running,
    plugs: true,
  },
  'os-stop': {
    action: 'stop',
    from: ['active', 'error'],
    tasks: ['powering-off'],
    event: 'compute_stop_instance',
    takes: 8 * second,
    end: { vmState: 'stopped', powerState: 4 },
  },
  'reboot.SOFT': {
    action: 'reboot',
    from: ['active'],
    tasks: ['rebooting', 'reboot_started'],
    event: 'compute_reboot_instance',
    takes: 6 * second,
    end: running,
  },
  'reboot.HARD': {
    action: 'reboot',
    from: ['active', 'stopped', 'paused', 'suspended', 'error'],
    // it is what gets a server out of a task that never ends
    during: [
      ...['rebooting', 'reboot_pending', 'reboot_started', 'rebooting_hard', 'reboot_pending_hard'],
      ...['reboot_started_hard', 'resuming', 'unpausing', 'pausing', 'suspending'],
    ],
    tasks: ['rebooting_hard', 'reboot_started_hard'],
    event: 'compute_reboot_instance',
    takes: 10 * second,
    end: running,
    plugs: true,
  },
  pause: {
    action: 'pause',
    from: ['active'],
    tasks: ['pausing'],
    event: 'compute_pause_instance',
    takes: second,
    end: { vmState: 'paused', powerState: 3 },
  },
  unpause: {
    action: 'unpause',
    from: ['paused'],
    tasks: ['unpausing'],
    event: 'compute_unpause_instance',
    takes: second,
    end: running,
  },
  suspend: {
    action: 'suspend',
    from: ['active'],
    tasks: ['suspending'],
    event: 'compute_suspend_instance',
    takes: 10 * second,
    end: { vmState: 'suspended', powerState: 4 },
  },
  resume: {
    action: 'resume',
    from: ['suspended'],
    tasks: ['resuming'],
    event: 'compute_resume_instance',
    takes: 6 * second,
    end: running,
  },
  rescue: {
    action: 'rescue',
    from: ['active', 'stopped', 'error'],
    tasks: ['rescuing'],
    event: 'compute_rescue_instance',
    takes: 4 * second,
    end: { vmState: 'rescued', powerState: 1 },
  },
  unrescue: {
    action: 'unrescue',
    from: ['rescued'],
    tasks: ['unrescuing'],
    event: 'compute_unrescue_instance',
    takes: 3 * second,
    end: running,
  },
  rebuild: {
    action: 'rebuild',
    from: ['active', 'stopped', 'error'],
    tasks: ['rebuilding', 'rebuild_block_device_mapping', 'rebuild_spawning'],
    event: 'compute_rebuild_instance',
    takes: 9 * second,
    end: running,
  },
}

/**
 * Sets a server on its way; it arrives by itself when its host has had the time.
 * A host whose compute service does not work begins when it works again: until then the task stays.
 */
export function begin(world: CloudWorld, server: NovaServer, transition: Transition, asker: Asker): void {
  const { clock } = world
  const { tasks, end } = transition
  const takes = transition === transitions['os-stop'] ? (server.shutdown ?? transition.takes) : transition.takes
  const record = recordAction(world, server, transition.action, asker)
  let task = tasks[0] ?? null
  change(server, clock.now(), { taskState: task })
  const underWay = () => server.vmState !== 'deleted' && server.taskState === task
  onHost(world, server.host, () => {
    if (!underWay()) return
    beginEvent(world, record, transition.event, server.host)
    for (const [index, next] of tasks.entries()) {
      if (index === 0) continue
      clock.after((takes * index) / tasks.length, () => {
        if (!underWay()) return
        task = next
        change(server, clock.now(), { taskState: next })
      })
    }
    clock.after(takes, () => {
      if (!underWay()) return
      if (transition.plugs && unpluggable(world, server.id).length > 0) {
        const details = 'NotImplementedError: nova/network/os_vif_util.py, _nova_to_osvif_vif_binding_failed'
        const fault = { code: 500, message: 'NotImplementedError', created: clock.now(), details }
        change(server, clock.now(), { vmState: 'error', powerState: 4, taskState: null, fault })
        fail(world, record, details)
        return
      }
      if (transition.plugs) plugged(world, server.id)
      change(server, clock.now(), { ...end, taskState: null, fault: null, guestOff: undefined })
      succeed(world, record)
    })
  })
}
