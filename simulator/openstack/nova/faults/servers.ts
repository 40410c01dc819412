import type { Fault } from '../../../fault.ts'
import { takes } from '../../../parameters.ts'
import { uuidOf } from '../../../random.ts'
import type { World } from '../../../world.ts'
import { hour, minute, second } from '../../time.ts'
import { change } from '../lifecycle.ts'
import { addMigration } from '../moves.ts'
import type { NovaServer, UserMoment, VmState } from '../state.ts'
import { startByUser } from '../users.ts'
import { computeOn, host, message, running, server, serverNamed, times, upset } from './fault.ts'

const count = { type: 'integer', description: 'How many servers', minimum: 1, default: 1 } as const

/** What can be wrong with servers, and what their users do meanwhile. */
export const serverFaults: readonly Fault[] = [
  {
    name: 'nova.servers_in_error',
    summary: 'Servers are in status ERROR, each with the fault that put it there',
    params: takes({ count }),
    apply({ cloud, clock }, { count }) {
      const at = clock.now() - 25 * minute
      for (const server of running(cloud).slice(0, Number(count))) {
        const message = 'internal error: qemu unexpectedly closed the monitor'
        const details = `libvirt.libvirtError: ${message}`
        const fault = { code: 500, message, created: at, details }
        Object.assign(server, { vmState: 'error', powerState: 4, taskState: null, fault, updatedAt: at })
      }
    },
  },
  {
    name: 'nova.servers_stuck',
    summary: 'Servers have been in the middle of a task for hours',
    params: takes({
      count,
      task_state: { type: 'string', description: 'The task', default: 'powering-off' },
      hours: { type: 'integer', description: 'For how long', minimum: 1, default: 3 },
    }),
    apply({ cloud, clock }, { count, task_state, hours }) {
      for (const server of running(cloud).slice(-Number(count))) {
        Object.assign(server, { taskState: String(task_state), updatedAt: clock.now() - Number(hours) * hour })
      }
    },
  },
  {
    name: 'nova.server_state',
    summary: 'A server is in a state of its own',
    params: takes(
      {
        server,
        state: {
          type: 'string',
          description: 'The state, as Nova keeps it',
          enum: ['active', 'stopped', 'paused', 'suspended', 'rescued', 'resized', 'shelved_offloaded', 'error'],
          default: 'active',
        },
        locked: { type: 'boolean', description: 'Whether its owner has locked it', default: false },
        locked_reason: {
          type: 'string',
          description: 'Why it is locked, as whoever did it wrote; nothing unless told',
        },
        task: { type: 'string', description: 'What is being done to it; nothing unless told' },
        task_seconds: { type: 'number', description: 'For how many seconds more; without end unless told', minimum: 0 },
      },
      ['locked_reason', 'task', 'task_seconds'],
    ),
    apply(world, { server: name, state, locked, locked_reason, task, task_seconds }) {
      const found = serverNamed(world.cloud, name)
      putInState(world, found, state as VmState)
      found.locked = locked === true
      if (locked_reason !== undefined) found.lockedReason = String(locked_reason)
      if (task === undefined) return
      found.taskState = String(task)
      if (task_seconds === undefined) return
      world.clock.after(Number(task_seconds) * second, () => {
        if (found.taskState === task) change(found, world.clock.now(), { taskState: null })
      })
    },
  },
  {
    name: 'nova.server_in_flight',
    summary: 'A server that was given to a host before anybody took that out of service begins to come up there later',
    params: takes({
      host,
      name: { type: 'string', description: 'Its name', default: 'latecomer' },
      comes: { type: 'integer', description: 'After how many seconds it is seen there', minimum: 1, default: 30 },
      takes: { type: 'integer', description: 'How many seconds it is built', minimum: 1, default: 70 },
      ends: {
        type: 'string',
        description: 'Whether it comes up there, or is given to another host in the end',
        enum: ['here', 'elsewhere'],
        default: 'here',
      },
    }),
    apply(world, { host, name, comes, takes, ends }) {
      const { cloud, clock } = world
      const { host: on } = computeOn(cloud, host)
      const [like] = cloud.nova.servers
      const other = cloud.nova.hypervisors.find((one) => one.host !== on)?.host
      if (!like || other === undefined) throw new Error('it takes a server and a second host')
      const made: NovaServer = {
        ...like,
        ...{ id: uuidOf(`server/${name}`), number: cloud.nova.servers.length + 1, name: String(name), host: null },
        ...{ createdAt: clock.now(), updatedAt: clock.now(), launchedAt: null, volumes: [], metadata: {}, tags: [] },
        ...{ vmState: 'building', taskState: 'scheduling', powerState: 0 },
      }
      cloud.nova.servers.push(made)
      clock.after(Number(comes) * second, () => {
        change(made, clock.now(), { host: on, taskState: 'spawning' })
        clock.after(Number(takes) * second, () => {
          const at = ends === 'here' ? on : other
          const now = clock.now()
          change(made, now, { host: at, vmState: 'active', taskState: null, powerState: 1, launchedAt: now })
          world.effect('rehearsal.server_built', made.name, { host: at })
        })
      })
    },
  },
  {
    name: 'nova.spawn_fails',
    summary: 'Servers that are created end in status ERROR on their host',
    params: takes(
      {
        server: { ...server, description: 'Its name; every new server unless told' },
        message: message('internal error: qemu unexpectedly closed the monitor'),
        times,
      },
      ['server', 'times'],
    ),
    apply: ({ cloud }, params) => upset(cloud, 'spawn', params),
  },
  {
    name: 'nova.ports_not_wired',
    summary: 'The ports of servers that are created stay DOWN, and Nova does not wait for them',
    params: takes({ server: { ...server, description: 'Its name; every new server unless told' }, times }, [
      'server',
      'times',
    ]),
    apply: ({ cloud }, params) => upset(cloud, 'unwired', params),
  },
  {
    name: 'nova.guest_crashed',
    summary: 'The guest of a server has ended, and Nova has not noticed yet',
    params: takes({ server }),
    apply({ cloud }, { server: name }) {
      serverNamed(cloud, name).guestOff = true
    },
  },
  {
    name: 'nova.guest_slow_to_stop',
    summary:
      'The guest of a server does not end when it is asked to: Nova switches it off when its shutdown time is over',
    params: takes({
      server,
      seconds: { type: 'integer', description: 'How long its shutdown time is', minimum: 1, default: 60 },
    }),
    apply({ cloud }, { server: name, seconds }) {
      serverNamed(cloud, name).shutdown = Number(seconds) * second
    },
  },
  {
    name: 'nova.user_starts_server',
    summary: 'A user starts a stopped server of theirs in the middle of the work, if Nova lets them',
    params: takes({
      server,
      when: {
        type: 'string',
        description: 'When: now, or when its host is disabled, goes down, or has its compute service back',
        enum: ['now', 'disabled', 'reboot', 'back'],
        default: 'reboot',
      },
    }),
    apply(world, { server: name, when }) {
      const found = serverNamed(world.cloud, name)
      if (when === 'now') startByUser(world, found)
      else world.cloud.nova.plans.push({ server: found.id, when: when as UserMoment, done: false })
    },
  },
  {
    name: 'nova.orphan_domain',
    summary: 'A guest runs on a host that Nova knows nothing of',
    params: takes({ host }),
    apply({ cloud }, { host }) {
      const { host: on } = computeOn(cloud, host)
      cloud.nova.orphans.push({ host: on, uuid: uuidOf(`orphan/${on}`), name: 'instance-0000beef', running: true })
    },
  },
]

const powerStates: { readonly [state in VmState]?: NovaServer['powerState'] } = {
  active: 1,
  rescued: 1,
  resized: 1,
  paused: 3,
}

function putInState(world: World, server: NovaServer, state: VmState): void {
  const { cloud, clock, random } = world
  if (state === 'resized') {
    const source = cloud.nova.hypervisors.find(({ host }) => host !== server.host)
    if (!source || server.host === null) throw new Error('a resize needs a second host')
    const { user, project } = server
    const asker = { requestId: `req-${random.uuid()}`, user, project }
    const { host } = server
    server.host = source.host
    const migration = addMigration(world, server, { kind: 'migration', status: 'finished', destination: host, asker })
    server.host = host
    cloud.nova.holds.push({
      consumer: migration.uuid,
      server: server.id,
      host: source.host,
      flavor: server.flavor,
    })
  }
  const fault =
    state === 'error'
      ? { code: 500, message: 'internal error', created: clock.now(), details: 'libvirt.libvirtError: internal error' }
      : null
  Object.assign(server, { vmState: state, taskState: null, powerState: powerStates[state] ?? 4, fault })
  if (state === 'shelved_offloaded') server.host = null
}
