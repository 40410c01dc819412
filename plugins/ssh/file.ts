import {
  type ActionContext,
  type Preview,
  type Settled,
  StepFailure,
  type WorkAction,
} from '../../engine/action/contract.ts'
import { anything, closedObject, flag, text, whole } from '../../engine/action/define.ts'
import type { Json, JsonObject, Schema } from '../../engine/json.ts'
import { hostOf, hostParams } from './host.ts'
import { lineDiff } from './line-diff.ts'
import {
  backupOf,
  digestOf,
  type Found,
  type Look,
  largestFile,
  look,
  putBack,
  remove,
  reown,
  replace,
} from './remote-file.ts'

const absolutePath = (description: string) => text(description, { pattern: '^(/|\\{\\{)' })
const digest = (description: string): Schema => ({
  type: ['string', 'null'],
  description: `${description}, as SHA-256; null when there was none.`,
})

/** What a file shall be besides its content; `ssh.put` takes the same. */
export const fileParams = {
  path: absolutePath('Where it is on the host: an absolute path. Its folder must be there.'),
  mode: text('Its mode, in octal such as `0640`; that of the previous file, else `0644`, unless told.', {
    pattern: '^([0-7]{3,4}|.*\\{\\{.*)$',
  }),
  owner: text('The user it belongs to; that of the previous file, else whoever writes it, unless told.'),
  group: text('The group it belongs to; that of the previous file unless told.'),
  backup: flag('Whether the previous content is kept, beside the file under a hidden name; yes unless told.'),
  follow: flag('Whether a link is followed to the file it names; a link is refused unless told.'),
  ...hostParams,
}

export const fileResult = closedObject({
  host: text('The host it is on.'),
  path: text('Where it is; links followed.'),
  changed: flag('Whether this step has changed anything.'),
  before_digest: digest('What it was before'),
  digest: digest('What it is now'),
  backup: {
    type: ['string', 'null'],
    description: 'Where the previous content is kept; null when there was none, or nothing was changed.',
  },
})

interface Goal {
  /** Nothing when it shall not be there. */
  readonly bytes: Uint8Array | undefined
  readonly mode: string
  readonly owner: string
  readonly group: string
}

export function goalOf(params: JsonObject, bytes: Uint8Array | undefined): Goal {
  const word = (name: string) => (params[name] as string | undefined) ?? ''
  return {
    bytes,
    mode: word('mode') === '' ? '' : word('mode').padStart(4, '0'),
    owner: word('owner'),
    group: word('group'),
  }
}

function differs(found: Found, { bytes, mode, owner, group }: Goal): 'no' | 'content' | 'owner' {
  if (bytes === undefined) return found.is === 'absent' ? 'no' : 'content'
  if (found.is === 'absent' || found.digest !== digestOf(bytes)) return 'content'
  const same = (wanted: string, real: string) => wanted === '' || wanted === real
  return same(mode, found.mode) && same(owner, found.owner) && same(group, found.group) ? 'no' : 'owner'
}

/** What would change, line by line where it is text. */
export async function planFile(
  ctx: ActionContext,
  params: JsonObject,
  goal: Goal,
  signal: AbortSignal,
): Promise<Preview> {
  const seen = await look(ctx, params, { content: true }, signal)
  const where = `\`${seen.path}\` on ${hostOf(params)}`
  const how = differs(seen.found, goal)
  if (how === 'no') return { summary: `nothing to do: ${where} is so already`, changes: [] }
  if (goal.bytes === undefined)
    return { summary: `would remove ${where}`, changes: [{ path: seen.path, before: digestIn(seen.found) }] }
  const summary = `would ${seen.found.is === 'absent' ? 'write' : how === 'owner' ? 'set owner and mode of' : 'replace'} ${where}`
  return { summary, changes: [...contentChanges(seen, goal.bytes, params), ...ownerChanges(seen.found, goal)] }
}

function contentChanges({ found, path, content }: Look, bytes: Uint8Array, params: JsonObject): Preview['changes'] {
  if (found.is === 'file' && found.digest === digestOf(bytes)) return []
  const before = found.is === 'absent' ? '' : textOf(content)
  const after = textOf(bytes)
  const lines =
    params['secret_content'] === true || before === undefined || after === undefined
      ? undefined
      : lineDiff(path, before, after)
  return lines ?? [{ path: `${path} (SHA-256)`, before: digestIn(found), after: digestOf(bytes) }]
}

function ownerChanges(found: Found, { mode, owner, group }: Goal): Preview['changes'] {
  const before = found.is === 'file' ? found : undefined
  return (
    [
      ['mode', mode, before?.mode],
      ['owner', owner, before?.owner],
      ['group', group, before?.group],
    ] as const
  ).flatMap(([path, after, was]) =>
    after === '' || after === was ? [] : [{ path, ...(was !== undefined && { before: was }), after }],
  )
}

const digestIn = (found: Found): string | null => (found.is === 'file' ? found.digest : null)

/** Nothing for bytes that are no text. */
function textOf(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined || bytes.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Makes it so, and reads back that it is. */
export async function makeFile(ctx: ActionContext, params: JsonObject, goal: Goal, signal: AbortSignal): Promise<Json> {
  const before = await look(ctx, params, { content: false }, signal)
  const how = differs(before.found, goal)
  if (how === 'no') return resultOf(ctx, params, before, before)
  const backup = params['backup'] === false || before.kept !== undefined ? '' : backupOf(ctx, before.path)
  if (goal.bytes === undefined) await remove(ctx, params, before, backup, signal)
  else if (how === 'owner') await reown(ctx, params, before, goal, signal)
  else await replace(ctx, params, before, { ...goal, bytes: goal.bytes, backup }, signal)
  const after = await look(ctx, params, { content: false }, signal)
  if (differs(after.found, goal) !== 'no') {
    throw new StepFailure('not_so', `\`${after.path}\` on \`${hostOf(params)}\` is not what was written`, {
      hint: 'something else writes this file, or its file system does not keep owner and mode',
    })
  }
  return resultOf(ctx, params, before, after)
}

/** From what is there; a first try of this step that was cut off has left what it had kept. */
function resultOf(ctx: ActionContext, params: JsonObject, before: Look, after: Look): Json {
  const kept = after.kept ?? before.kept
  const first = before.kept === undefined && kept === undefined ? digestIn(before.found) : (kept ?? null)
  const changed = kept !== undefined || before !== after
  return {
    host: hostOf(params),
    path: after.path,
    changed,
    before_digest: first,
    digest: digestIn(after.found),
    backup: kept === undefined ? null : backupOf(ctx, after.path),
  }
}

export async function settledFile(
  ctx: ActionContext,
  params: JsonObject,
  goal: Goal,
  signal: AbortSignal,
): Promise<Settled> {
  const seen = await look(ctx, params, { content: false }, signal)
  return differs(seen.found, goal) === 'no'
    ? { happened: 'yes', result: resultOf(ctx, params, seen, seen) }
    : { happened: 'no' }
}

function wantedBy(params: JsonObject): Goal {
  const absent = params['state'] === 'absent'
  const content = params['content']
  if (!absent && typeof content !== 'string')
    throw new StepFailure('no_content', 'the step does not say what shall stand in the file', {
      hint: 'add `content`, or `state: absent`',
    })
  return goalOf(params, absent ? undefined : new TextEncoder().encode(String(content)))
}

export const file: WorkAction = {
  name: 'ssh.file',
  summary: 'write a file on a host, exactly and at once, or remove it',
  description: [
    'The file is what `content` says, to the byte: nothing is appended, nothing merged. The new file is written beside the old one, is on the disk, and takes its place in one move; who reads sees one or the other. A file that something else changes meanwhile is left alone (`changed_meanwhile`).',
    'The previous content is kept as `backup` of the result says, unless `backup: false`; `ssh.file.restore` puts it back. A dry run shows the lines that would change.',
    'Access lists and extended attributes are not carried over.',
  ].join('\n\n'),
  effect: 'change',
  idempotent: true,
  params: closedObject(
    {
      ...fileParams,
      content: text('What shall stand in it.'),
      state: text('`present` unless told, or `absent`.', { enum: ['present', 'absent'] }),
      secret_content: flag('The content is secret: a dry run shows digests only.'),
    },
    ['mode', 'owner', 'group', 'backup', 'follow', ...Object.keys(hostParams), 'content', 'state', 'secret_content'],
  ),
  result: fileResult,
  examples: [
    { path: '/etc/mysql/mariadb.conf.d/99-limits.cnf', content: '[mysqld]\nmax_connections = 4096\n', become: true },
    { path: '/etc/cron.d/cleanup', content: '0 3 * * * root /usr/local/bin/cleanup\n', mode: '0644', owner: 'root' },
    { host: 'c1', path: '/etc/motd', state: 'absent', backup: false },
  ],
  plan: async (ctx, params, signal) => planFile(ctx, params, wantedBy(params), signal),
  run: async (ctx, params, signal) => makeFile(ctx, params, wantedBy(params), signal),
  settled: async (ctx, params, signal) => settledFile(ctx, params, wantedBy(params), signal),
}

export const fileRead: WorkAction = {
  name: 'ssh.file.read',
  summary: 'read a file on a host, to the byte',
  description:
    'A file that is not there is no failure: `exists` is false. One that may not be looked at is (`no_access`). Links are followed.',
  effect: 'read',
  params: closedObject(
    {
      path: absolutePath('Where it is on the host: an absolute path.'),
      encoding: text('How its content is given: as `text` unless told, or as `base64`.', { enum: ['text', 'base64'] }),
      secret_content: flag('The content is secret: masked wherever it appears.'),
      ...hostParams,
    },
    ['encoding', 'secret_content', ...Object.keys(hostParams)],
  ),
  result: closedObject({
    host: text('The host it is on.'),
    path: text('Where it is; links followed.'),
    exists: flag('Whether it is there.'),
    content: { type: ['string', 'null'], description: 'What stands in it; null when it is not there.' },
    digest: digest('What stands in it'),
    size: whole('Bytes.'),
    mode: { type: ['string', 'null'], description: 'Its mode, in octal.' },
    owner: anything('The user it belongs to; null when it is not there.'),
    group: anything('The group it belongs to; null when it is not there.'),
  }),
  examples: [{ path: '/etc/hostname' }, { path: '/etc/machine-id', host: 'c1', encoding: 'base64' }],
  async run(ctx, params, signal) {
    const { found, path, content } = await look(ctx, { ...params, follow: true }, { content: true }, signal)
    const host = hostOf(params)
    if (found.is === 'absent')
      return { host, path, exists: false, content: null, digest: null, size: 0, mode: null, owner: null, group: null }
    if (content === undefined)
      throw new StepFailure('too_large', `\`${path}\` on \`${host}\` has ${found.size} bytes, more than ${largestFile}`)
    const shown = params['encoding'] === 'base64' ? Buffer.from(content).toString('base64') : textOf(content)
    if (shown === undefined)
      throw new StepFailure('no_text', `\`${path}\` on \`${host}\` is no text`, { hint: 'say `encoding: base64`' })
    if (params['secret_content'] === true && shown.trim().length >= 4)
      ctx.secrets.add(`content of ${path}`, shown.trim())
    const { mode, owner, group, size } = found
    return { host, path, exists: true, content: shown, digest: found.digest, size, mode, owner, group }
  },
}

export const fileRestore: WorkAction = {
  name: 'ssh.file.restore',
  summary: 'put back what `ssh.file` or `ssh.put` has replaced',
  description:
    'For `rollback`: takes `backup` and `before_digest` of the result. The kept file takes its place again in one move, with its owner and mode; a file that was not there before is removed. What is so already is left alone.',
  effect: 'change',
  idempotent: true,
  params: closedObject(
    {
      path: absolutePath('The file, as the result says.'),
      backup: { type: ['string', 'null'], description: 'Where its previous content is kept, as the result says.' },
      before_digest: digest('What it was before, as the result says'),
      ...hostParams,
    },
    Object.keys(hostParams),
  ),
  result: fileResult,
  examples: [{ path: '/etc/motd', backup: '/etc/.motd.0123456789ab~', before_digest: 'e3b0c442', host: 'c1' }],
  async plan(ctx, params, signal): Promise<Preview> {
    const { found, path } = await look(ctx, params, { content: false }, signal)
    const [before, after] = [digestIn(found), params['before_digest'] ?? null]
    const where = `\`${path}\` on ${hostOf(params)}`
    if (before === after) return { summary: `nothing to do: ${where} is so already`, changes: [] }
    return { summary: `would put ${where} back`, changes: [{ path: `${path} (SHA-256)`, before, after }] }
  },
  async run(ctx, params, signal) {
    const before = await look(ctx, params, { content: false }, signal)
    const wanted = params['before_digest'] ?? null
    const backup = params['backup']
    if (digestIn(before.found) !== wanted) {
      if (wanted === null) await remove(ctx, params, before, '', signal)
      else if (typeof backup === 'string') await putBack(ctx, params, before, backup, signal)
      else
        throw new StepFailure('no_backup', `of \`${before.path}\` on \`${hostOf(params)}\` nothing was kept`, {
          hint: 'the step that wrote it said `backup: false`',
        })
    }
    const after = await look(ctx, params, { content: false }, signal)
    const digests = { before_digest: digestIn(before.found), digest: digestIn(after.found) }
    if (digests.digest !== wanted)
      throw new StepFailure('not_so', `\`${after.path}\` on \`${hostOf(params)}\` is not what it was before`)
    const changed = digests.before_digest !== digests.digest
    return { host: hostOf(params), path: after.path, changed, ...digests, backup: null }
  },
  async settled(ctx, params, signal) {
    const { found, path } = await look(ctx, params, { content: false }, signal)
    const now = digestIn(found)
    if (now !== (params['before_digest'] ?? null)) return { happened: 'no' }
    return {
      happened: 'yes',
      result: { host: hostOf(params), path, changed: true, before_digest: null, digest: now, backup: null },
    }
  },
}
