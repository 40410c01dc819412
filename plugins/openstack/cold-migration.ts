import { StepFailure } from '../../engine/action/contract.ts'
import { text } from '../../engine/action/define.ts'
import type { JsonObject } from '../../engine/json.ts'
import { flavorCalled } from './find-flavor.ts'
import { textAt } from './json-body.ts'
import { hasMoved, notYet, restsIn } from './judges.ts'
import {
  broken,
  hostAsked,
  isThere,
  migrationStatus,
  minute,
  movedResult,
  movePreview,
  timeFor,
  toChosenHost,
  toHost,
} from './moving.ts'
import { nameOf, type Operation } from './operation.ts'
import { computeVersions } from './versions.ts'

const coldTypes = ['migration', 'resize']

const migrate: Operation = {
  name: 'openstack.server.migrate',
  summary: 'moves a server to another host with its guest switched off, up to where it waits for a confirmation',
  description:
    'An ACTIVE server is switched off for it. It ends in VERIFY_RESIZE: `openstack.server.confirm_resize` or `openstack.server.revert_resize` must follow, until then both hosts hold room for it.',
  effect: 'change',
  params: { host: toHost },
  result: movedResult,
  action: 'migrate',
  from: ['active', 'stopped'],
  holds: (server, params) => isThere(server, params) && restsIn(server, 'active', 'stopped', 'resized'),
  migrates: { types: coldTypes, own: true },
  prepare: toChosenHost,
  request: ({ params }) => {
    const host = hostAsked(params)
    return {
      versions:
        host === undefined ? computeVersions : { min: '2.56', max: '2.100', what: 'a migration to a chosen `host`' },
      body: () => ({ migrate: host === undefined ? null : { host } }),
    }
  },
  judge: (look) => {
    const status = migrationStatus(look)
    if (status === 'error') return broken(look)
    const waits = status === 'finished' && restsIn(look.seen.server, 'resized')
    // a cloud may confirm by itself
    const confirmed = status === 'confirmed' && restsIn(look.seen.server, 'active', 'stopped')
    return (waits || confirmed) && hasMoved(look) ? 'done' : notYet(look)
  },
  failure: 'migration_failed',
  grace: minute,
  limit: timeFor,
  preview: (it) => movePreview('switch off and move', it),
}

const flavorName = (server: JsonObject): string | undefined => textAt(server, 'flavor', 'original_name')

const resize: Operation = {
  name: 'openstack.server.resize',
  summary: 'gives a server another flavor, up to where it waits for a confirmation',
  description:
    'It ends in VERIFY_RESIZE, perhaps on another host: `openstack.server.confirm_resize` or `openstack.server.revert_resize` must follow, until then both sizes are held.',
  effect: 'change',
  params: { flavor: text('The new flavor, by id or exact name', { minLength: 1 }) },
  required: ['flavor'],
  example: { flavor: 'm1.large' },
  result: movedResult,
  action: 'resize',
  from: ['active', 'stopped'],
  holds: (server, { flavor }) => restsIn(server, 'active', 'stopped', 'resized') && flavorName(server) === flavor,
  migrates: { types: ['resize', 'migration'], own: true },
  prepare: async ({ session, server, params }, signal) => {
    const flavor = await flavorCalled(session, String(params['flavor']), signal)
    if (flavor['name'] === flavorName(server))
      throw new StepFailure('wrong_state', `\`${nameOf(server)}\` has the flavor \`${String(flavor['name'])}\` already`)
    return { flavor: flavor['id'] ?? null, flavor_name: flavor['name'] ?? null }
  },
  request: ({ found }) => ({
    versions: computeVersions,
    body: () => ({ resize: { flavorRef: found['flavor'] ?? null } }),
  }),
  judge: (look) => {
    if (migrationStatus(look) === 'error') return broken(look)
    const wanted = look.attempt.facts['flavor_name'] ?? flavorName(look.seen.server)
    const asWanted = flavorName(look.seen.server) === wanted
    return asWanted && restsIn(look.seen.server, 'resized') ? 'done' : notYet(look)
  },
  grace: minute,
  limit: timeFor,
  preview: ({ server, found }) => ({
    summary: `would resize \`${nameOf(server)}\``,
    changes: [
      { path: `${nameOf(server)}.flavor`, before: flavorName(server) ?? null, after: found['flavor_name'] ?? null },
    ],
  }),
}

/** Ends a resize or a cold migration, one way or the other. */
function ending(name: 'confirm_resize' | 'revert_resize', call: string, status: string, action: string): Operation {
  const confirms = name === 'confirm_resize'
  return {
    name: `openstack.server.${name}`,
    summary: confirms
      ? 'confirms a resize or a cold migration, and waits until the server is back in its state'
      : 'takes a resize or a cold migration back, and waits until the server is where it was',
    effect: 'change',
    idempotent: true,
    result: movedResult,
    action,
    from: ['resized'],
    underWay: confirms ? [] : ['resize_reverting'],
    // a cloud may confirm by itself after a while
    holds: (server, _, migrations) =>
      restsIn(server, 'active', 'stopped') && migrations?.find(isCold)?.['status'] === status,
    migrates: { types: coldTypes, own: false },
    request: () => ({ versions: computeVersions, body: () => ({ [call]: null }) }),
    judge: (look) => {
      const now = migrationStatus(look)
      if (now === 'error') return broken(look)
      if (now === 'confirming' || now === 'reverting') return 'waiting'
      // who may not see migrations has the server alone to go by
      const ended = look.seen.migration === undefined || now === status
      return ended && restsIn(look.seen.server, 'active', 'stopped') ? 'done' : notYet(look)
    },
    failure: 'migration_failed',
    grace: minute,
    preview: ({ server }) => ({
      summary: `would ${confirms ? 'confirm' : 'take back'} what \`${nameOf(server)}\` waits for`,
      changes: [
        {
          path: `${nameOf(server)}.status`,
          before: server['status'] ?? null,
          after: confirms ? 'as before' : 'as before, where it was',
        },
      ],
    }),
  }
}

const isCold = (migration: JsonObject): boolean => coldTypes.includes(String(migration['migration_type']))

export const coldMigrations: readonly Operation[] = [
  migrate,
  resize,
  ending('confirm_resize', 'confirmResize', 'confirmed', 'confirmResize'),
  ending('revert_resize', 'revertResize', 'reverted', 'revertResize'),
]
