import { StepFailure } from '../../engine/action/contract.ts'
import { call, objectIn } from './call.ts'
import { computeServices } from './compute-services.ts'
import { objectsIn } from './json-body.ts'
import type { Session } from './session.ts'
import { computeVersions } from './versions.ts'

/**
 * Refuses a host to move something to that Nova does not know, or that does not report: a dry run would promise what cannot
 * be. Whoever may not look at services is left to what Nova says. Throws `no_such_host`, `host_down`.
 */
export async function refuseWrongHost(session: Session, host: string, signal: AbortSignal): Promise<void> {
  const services = await mayLook(() => computeServices(session, { host, binary: 'nova-compute' }, signal))
  if (services === undefined) return
  const [service] = services
  if (!service) throw await unknown(session, host, signal)
  if (service['state'] !== 'down' && service['forced_down'] !== true) return
  throw new StepFailure('host_down', `the compute service of \`${host}\` is down: nothing can be moved there`, {
    hint: 'choose another host, or leave it out and let the scheduler choose',
    detail: { host, forced_down: service['forced_down'] ?? null, updated_at: service['updated_at'] ?? null },
  })
}

async function unknown(session: Session, host: string, signal: AbortSignal): Promise<StepFailure> {
  const asked = { service: 'compute', path: '/os-services', query: { binary: 'nova-compute' } }
  const answer = await call(session, { ...asked, microversion: computeVersions }, signal)
  const hosts = objectsIn(objectIn(answer)['services']).map((service) => String(service['host']))
  const shown = hosts.toSorted().slice(0, 10)
  return new StepFailure('no_such_host', `Nova knows no compute host \`${host}\``, {
    hint: `it has to be exactly as Nova names it: ${shown.map((one) => `\`${one}\``).join(', ')}${hosts.length > shown.length ? ', …' : ''}`,
    detail: { host },
  })
}

async function mayLook<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof StepFailure && error.code === 'forbidden') return undefined
    throw error
  }
}
