import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../engine/json.ts'
import { event, migration, request, type Script } from './fake-nova.ts'
import { settled } from './on-server.ts'

describe('after a crash', () => {
  const ours = (action: string, more: JsonObject = {}) => ({
    action,
    request_id: request,
    user_id: 'u1',
    start_time: '2026-03-01T12:00:00.000000',
    ...more,
  })

  test.each<{ what: string; verb: string; params?: JsonObject; script: Script; happened: string; why?: string }>([
    { what: 'it was never asked for', verb: 'live_migrate', script: {}, happened: 'no' },
    {
      what: 'it was asked for long before',
      verb: 'live_migrate',
      script: { actions: [ours('live-migration', { start_time: '2026-03-01T11:00:00.000000' })] },
      happened: 'no',
    },
    {
      what: 'somebody else asked for it',
      verb: 'live_migrate',
      script: { actions: [ours('live-migration', { user_id: 'u2' })] },
      happened: 'no',
    },
    {
      what: 'it was asked for and is done',
      verb: 'live_migrate',
      script: { before: { host: 'b', migrations: [migration('completed')] }, actions: [ours('live-migration')] },
      happened: 'yes',
    },
    {
      what: 'the clock of the cloud ran away, and it was asked for in between',
      verb: 'live_migrate',
      script: { date: 'Sun, 01 Mar 2026 12:10:00 GMT', actions: [ours('live-migration')] },
      happened: 'unknown',
      why: 'are apart',
    },
    {
      what: 'it was asked for and broke off',
      verb: 'live_migrate',
      script: { before: { migrations: [migration('failed')] }, actions: [ours('live-migration')] },
      happened: 'unknown',
      why: 'broke off',
    },
    {
      what: 'it was asked for and Nova wrote that it is over',
      verb: 'reboot',
      params: { type: 'HARD' },
      script: { before: { events: [event('Success')] }, actions: [ours('reboot')] },
      happened: 'yes',
    },
    { what: 'the state is the wanted one', verb: 'stop', script: { before: { status: 'SHUTOFF' } }, happened: 'yes' },
    { what: 'the state is another one', verb: 'stop', script: {}, happened: 'no' },
  ])('$verb: $what → $happened', async ({ verb, params = {}, script, happened, why }) => {
    const said = await settled(`server.${verb}`, script, params)
    expect(said).toMatchObject({ happened, ...(why !== undefined && { why: expect.stringContaining(why) }) })
  })
})
