import type { WorkAction } from '../../engine/action/contract.ts'
import { closedObject, text, whole } from '../../engine/action/define.ts'
import type { Json } from '../../engine/json.ts'
import { call } from './call.ts'
import { paramsOf } from './fields.ts'
import { findServer, serverParam } from './find-server.ts'
import { textAt } from './json-body.ts'
import { segment } from './list.ts'
import { sessionOf } from './session.ts'
import { computeVersions } from './versions.ts'

export const serverConsole: WorkAction = {
  name: 'openstack.server.console',
  summary: 'the last lines that a server wrote to its console',
  effect: 'read',
  params: paramsOf(
    {
      server: serverParam,
      length: whole('How many lines; 100 unless told', { minimum: 1, maximum: 10_000, default: 100 }),
    },
    ['server'],
  ),
  result: closedObject({ output: text('What it wrote') }),
  examples: [{ server: 'vm1', length: 50 }],
  async run(ctx, params, signal): Promise<Json> {
    const session = await sessionOf(ctx, params)
    const { server } = await findServer(session, String(params['server']), signal)
    const { body } = await call(
      session,
      {
        service: 'compute',
        method: 'POST',
        effect: 'read',
        path: `/servers/${segment(server['id'])}/action`,
        body: { 'os-getConsoleOutput': { length: params['length'] ?? 100 } },
        microversion: computeVersions,
      },
      signal,
    )
    return { output: textAt(body, 'output') ?? '' }
  },
}
