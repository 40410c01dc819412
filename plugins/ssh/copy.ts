import { type ActionContext, type Preview, StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { closedObject, flag, text, whole } from '../../engine/action/define.ts'
import type { JsonObject } from '../../engine/json.ts'
import { fileParams, fileResult, goalOf, makeFile, planFile, settledFile } from './file.ts'
import { hostOf, hostParams } from './host.ts'
import { digestOf, largestFile, look } from './remote-file.ts'

const goal = async ({ files }: ActionContext, params: JsonObject) =>
  goalOf(params, await files.read(params['from'] as string))

export const put: WorkAction = {
  name: 'ssh.put',
  summary: 'copy a file of this machine to a host',
  description:
    'To the byte, whatever is in it, up to 32 MiB; written as `ssh.file` writes, and undone by `ssh.file.restore`. The digest in the result is read back on the host.',
  effect: 'change',
  idempotent: true,
  params: closedObject({ from: text('The file on this machine.', { minLength: 1 }), ...fileParams }, [
    'mode',
    'owner',
    'group',
    'backup',
    'follow',
    ...Object.keys(hostParams),
  ]),
  result: fileResult,
  examples: [{ from: 'files/haproxy.cfg', path: '/etc/haproxy/haproxy.cfg', mode: '0644', become: true }],
  plan: async (ctx, params, signal) => planFile(ctx, params, await goal(ctx, params), signal),
  run: async (ctx, params, signal) => makeFile(ctx, params, await goal(ctx, params), signal),
  settled: async (ctx, params, signal) => settledFile(ctx, params, await goal(ctx, params), signal),
}

export const fetch: WorkAction = {
  name: 'ssh.fetch',
  summary: 'copy a file of a host to this machine',
  description:
    'To the byte, whatever is in it, up to 32 MiB; what arrives is compared with the digest that the host gives. The file here takes its place in one move. On several hosts `to` must name the host, or the last one is left.',
  effect: 'change',
  idempotent: true,
  params: closedObject(
    {
      path: text('The file on the host: an absolute path. Links are followed.', { pattern: '^(/|\\{\\{)' }),
      to: text('Where it goes on this machine. Its folder must be there.', { minLength: 1 }),
      ...hostParams,
    },
    Object.keys(hostParams),
  ),
  result: closedObject({
    host: text('The host it came from.'),
    path: text('Where it is there.'),
    to: text('Where it is here.'),
    digest: text('What stands in it, as SHA-256.'),
    size: whole('Bytes.'),
    changed: flag('Whether the file here was another one before, or none.'),
  }),
  examples: [{ path: '/var/log/mysql/error.log', to: 'evidence/{{ target.name }}.log', become: true }],
  async plan(ctx, params, signal): Promise<Preview> {
    const { digest, size } = await content(ctx, params, signal)
    const to = params['to'] as string
    const here = await digestHere(ctx, to)
    const what = `\`${params['path'] as string}\` of ${hostOf(params)} (${size} bytes)`
    if (here === digest) return { summary: `nothing to do: \`${to}\` is ${what} already`, changes: [] }
    return {
      summary: `would copy ${what} to \`${to}\``,
      changes: [{ path: `${to} (SHA-256)`, before: here ?? null, after: digest }],
    }
  },
  async run(ctx, params, signal) {
    const { bytes, digest, size, path } = await content(ctx, params, signal)
    const to = params['to'] as string
    const changed = (await digestHere(ctx, to)) !== digest
    if (changed) await ctx.files.write(to, bytes)
    return { host: hostOf(params), path, to, digest, size, changed }
  },
}

async function content(ctx: ActionContext, params: JsonObject, signal: AbortSignal) {
  const { found, content: bytes, path } = await look(ctx, { ...params, follow: true }, { content: true }, signal)
  const where = `\`${path}\` on \`${hostOf(params)}\``
  if (found.is === 'absent') throw new StepFailure('no_file', `there is no ${where}`)
  if (!bytes) throw new StepFailure('too_large', `${where} has ${found.size} bytes, more than ${largestFile}`)
  return { bytes, digest: found.digest, size: found.size, path }
}

/** Nothing when there is none. */
async function digestHere({ files }: ActionContext, path: string): Promise<string | undefined> {
  try {
    return digestOf(await files.read(path))
  } catch (error) {
    if (error instanceof StepFailure) return undefined
    throw error
  }
}
