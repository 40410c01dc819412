import { createHash } from 'node:crypto'
import { absolute, FileError } from '../machine/files.ts'
import type { Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'
import { readOptions } from './options.ts'

/** `base64` and the digests: bytes in, whatever they are, and bytes out. */
export function encodingPrograms(machine: Machine): [string, Program][] {
  return [
    ['base64', async (me, args) => base64(machine, me, args)],
    ...['md5', 'sha1', 'sha256'].map((name): [string, Program] => [
      `${name}sum`,
      async (me, args) => sums(machine, me, name, readOptions(args).rest),
    ]),
  ]
}

async function base64(machine: Machine, me: Process, args: readonly string[]): Promise<number> {
  const { flags, rest } = readOptions(args, ['w', 'wrap'])
  const bytes = await contentOf(machine, me, 'base64', rest[0])
  if (!bytes) return 1
  if (flags.has('d') || flags.has('decode')) {
    const text = bytes.toString('latin1')
    me.out(Buffer.from(text, 'base64'))
    if (/^[A-Za-z0-9+/=\s]*$/.test(text)) return 0
    me.err('base64: invalid input\n')
    return 1
  }
  const width = Number(flags.get('w') ?? flags.get('wrap') ?? 76)
  const text = bytes.toString('base64')
  const lines = width === 0 ? [text] : (text.match(new RegExp(`.{1,${width}}`, 'g')) ?? [])
  me.out(width === 0 ? text : lines.map((line) => `${line}\n`).join(''))
  return 0
}

async function sums(machine: Machine, me: Process, kind: string, names: readonly string[]): Promise<number> {
  let status = 0
  for (const name of names.length > 0 ? names : ['-']) {
    const bytes = await contentOf(machine, me, `${kind}sum`, name)
    if (bytes) me.out(`${createHash(kind).update(bytes).digest('hex')}  ${name}\n`)
    else status = 1
  }
  return status
}

async function contentOf(
  machine: Machine,
  me: Process,
  program: string,
  name: string | undefined,
): Promise<Buffer | undefined> {
  if (name === undefined || name === '-') return me.input()
  try {
    return machine.files.read(absolute(me.cwd, name))
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    me.err(`${program}: ${name}: ${error.reason}\n`)
    return undefined
  }
}
