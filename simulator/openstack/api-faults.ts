import type { Fault } from '../fault.ts'
import { takes } from '../parameters.ts'
import { type ServiceName, serviceNames } from './http/api.ts'

const service = { type: 'string', description: 'The service', enum: serviceNames } as const

/** What can be wrong between a caller and the services, and with the clocks of the hosts. */
export const apiFaults: readonly Fault[] = [
  {
    name: 'keystone.failing',
    summary: 'Keystone answers every call with an error, so nobody gets a token',
    params: takes({
      status: { type: 'integer', description: 'The HTTP status', minimum: 500, maximum: 599, default: 503 },
    }),
    apply: ({ cloud }, { status }) => void cloud.conditions.failing.set('keystone', Number(status)),
  },
  {
    name: 'keystone.token_life',
    summary: 'Tokens hold for a short time only',
    params: takes({ seconds: { type: 'integer', description: 'For how long', minimum: 1, default: 60 } }),
    apply({ cloud }, { seconds }) {
      cloud.keystone.tokenLife = Number(seconds) * 1000
    },
  },
  {
    name: 'keystone.projects_hidden',
    summary: 'A policy of the cloud tells nobody what projects there are',
    params: takes({}),
    apply({ cloud: { keystone } }) {
      keystone.projectsHidden = true
    },
  },
  {
    name: 'keystone.tokens_revoked',
    summary: 'Every token that was given out until now is revoked',
    params: takes({}),
    apply({ cloud: { keystone }, clock }) {
      for (const [id, token] of keystone.tokens) keystone.tokens.set(id, { ...token, expiresAt: clock.now() })
    },
  },
  {
    name: 'api.slow',
    summary: 'A service takes its time over every call',
    params: takes({
      service,
      seconds: { type: 'number', description: 'How long each call takes', minimum: 0, default: 4 },
    }),
    apply: ({ cloud }, { service, seconds }) => void cloud.conditions.slow.set(service as ServiceName, Number(seconds)),
  },
  {
    name: 'api.flaky',
    summary: 'A service refuses some of its calls and asks to be tried again later',
    params: takes({
      service,
      status: { type: 'integer', description: 'The HTTP status', enum: [429, 503], default: 503 },
      every: {
        type: 'integer',
        description: 'Every which call is refused; 1 is all of them',
        minimum: 1,
        default: 3,
      },
      retry_after: { type: 'integer', description: 'Seconds, for `Retry-After`', minimum: 0, default: 2 },
    }),
    apply({ cloud }, { service, status, every, retry_after }) {
      const manner = { status: Number(status), every: Number(every), seconds: Number(retry_after) }
      cloud.conditions.flaky.set(service as ServiceName, manner)
    },
  },
  {
    name: 'api.endpoint_broken',
    summary: 'One endpoint of the catalogue leads to a proxy without a server behind it',
    params: takes({
      service,
      interface: {
        type: 'string',
        description: 'Which of its endpoints',
        enum: ['public', 'internal', 'admin'],
        default: 'internal',
      },
    }),
    apply: ({ cloud }, { service, interface: side }) => void cloud.conditions.brokenEndpoints.add(`${service}/${side}`),
  },
  {
    name: 'clock.skew',
    summary: 'The clock of a host is wrong; its services seem older or younger than they are',
    params: takes({
      host: { type: 'string', description: 'The host' },
      seconds: { type: 'number', description: 'How far it is ahead; negative is behind', default: -120 },
    }),
    apply({ estate }, { host, seconds }) {
      const machine = estate.machines.get(String(host))
      if (!machine) throw new Error(`there is no host \`${host}\``)
      machine.clockOffset = Number(seconds)
    },
  },
]
