import { flag, text } from '../../engine/action/define.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import { call, objectIn } from './call.ts'
import { apiObject } from './fields.ts'
import { heartbeatFields, heartbeatOf } from './heartbeat.ts'
import { objectsIn } from './json-body.ts'
import type { Session } from './session.ts'
import { computeVersions } from './versions.ts'

/** A service of Nova as it gives it, with what its last report tells. */
export const computeServiceItem = apiObject(
  'A service of Nova',
  {
    id: text('UUID'),
    binary: text('Its kind: `nova-compute`, `nova-scheduler`, `nova-conductor`'),
    host: text('The host, as Nova names it'),
    zone: text('Availability zone'),
    status: text('`enabled`, `disabled`; `UNKNOWN` when its cell does not answer'),
    state: text('`up` or `down`'),
    updated_at: text('Last report as the API writes it, without a zone'),
    disabled_reason: text('Why it is disabled'),
    forced_down: flag('Whether somebody declared it down'),
    ...heartbeatFields,
  },
  ['binary', 'host', 'status'],
)

/** The services with exactly this host and this kind, as Nova gives them. */
export async function computeServices(
  session: Session,
  { host, binary }: { readonly host: Json; readonly binary: string },
  signal: AbortSignal,
): Promise<readonly JsonObject[]> {
  const answer = await call(
    session,
    {
      service: 'compute',
      path: '/os-services',
      query: { host: String(host), binary },
      microversion: computeVersions,
    },
    signal,
  )
  const services = objectsIn(objectIn(answer)['services'])
  return services
    .filter((service) => service['host'] === host && service['binary'] === binary)
    .map((service) => ({ ...service, ...heartbeatOf(service['updated_at'], answer.date) }))
}
