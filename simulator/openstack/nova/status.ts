import type { NovaServer, VmState } from './state.ts'

const rest: { readonly [state in VmState]: string } = {
  building: 'BUILD',
  active: 'ACTIVE',
  stopped: 'SHUTOFF',
  paused: 'PAUSED',
  suspended: 'SUSPENDED',
  rescued: 'RESCUE',
  resized: 'VERIFY_RESIZE',
  shelved: 'SHELVED',
  shelved_offloaded: 'SHELVED_OFFLOADED',
  error: 'ERROR',
  deleted: 'DELETED',
}

const rebuilding = { rebuilding: 'REBUILD', rebuild_block_device_mapping: 'REBUILD', rebuild_spawning: 'REBUILD' }
const resizing = {
  resize_prep: 'RESIZE',
  resize_migrating: 'RESIZE',
  resize_migrated: 'RESIZE',
  resize_finish: 'RESIZE',
}

/** Where a task shows in the status. */
const working: { readonly [state in VmState]?: { readonly [task: string]: string } } = {
  active: {
    reboot_pending: 'REBOOT',
    reboot_started: 'REBOOT',
    rebooting: 'REBOOT',
    reboot_pending_hard: 'HARD_REBOOT',
    reboot_started_hard: 'HARD_REBOOT',
    rebooting_hard: 'HARD_REBOOT',
    updating_password: 'PASSWORD',
    migrating: 'MIGRATING',
    ...rebuilding,
    ...resizing,
  },
  stopped: { ...rebuilding, ...resizing },
  paused: { migrating: 'MIGRATING' },
  resized: { resize_reverting: 'REVERT_RESIZE' },
  error: rebuilding,
}

/** Every status there can be; `SOFT_DELETED` is one, though no server here becomes it. */
export const statuses: ReadonlySet<string> = new Set([
  ...Object.values(rest),
  ...Object.values(working).flatMap((tasks) => Object.values(tasks)),
  'SOFT_DELETED',
])

/** The status users see, from the two states Nova keeps. */
export function statusOf({ vmState, taskState }: Pick<NovaServer, 'vmState' | 'taskState'>): string {
  return (taskState !== null && working[vmState]?.[taskState]) || rest[vmState]
}
