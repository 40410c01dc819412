import type { CloudWorld } from '../cloud.ts'
import { second } from '../time.ts'
import { nameOf } from './names.ts'
import type { NovaServer, UserMoment } from './state.ts'
import { begin, transitions } from './transitions.ts'
import { serversOn } from './usage.ts'

/** Users whose moment has come on a host do what they mean to, five seconds later. */
export function usersAct(world: CloudWorld, when: UserMoment, host: string): void {
  const servers = serversOn(world.cloud.nova, host)
  for (const plan of world.cloud.nova.plans) {
    const server = servers.find(({ id }) => id === plan.server)
    if (!server || plan.done || plan.when !== when) continue
    plan.done = true
    world.clock.after(5 * second, () => startByUser(world, server))
  }
}

/** The owner starts a server, if Nova lets them. */
export function startByUser(world: CloudWorld, server: NovaServer): void {
  const start = transitions['os-start']
  if (!start) return
  const refused = server.locked
    ? 'locked'
    : server.vmState !== 'stopped'
      ? server.vmState
      : server.taskState !== null
        ? server.taskState
        : undefined
  world.effect('rehearsal.user_starts_server', nameOf(server), refused === undefined ? undefined : { refused })
  if (refused !== undefined) return
  begin(world, server, start, {
    requestId: `req-${world.random.uuid()}`,
    user: server.user,
    project: server.project,
  })
}
