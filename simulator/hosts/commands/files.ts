import { absolute, FileError, type Files, folderOf, nameOf } from '../machine/files.ts'
import type { Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'
import { list, stat, usage } from './listing.ts'
import { readOptions } from './options.ts'

type Work = (files: Files, me: Process, at: (path: string) => string) => number | Promise<number>

/** `cat`, `ls`, `cp`, `mv`, `rm`, `mkdir`, `stat` and their kind, as GNU coreutils say it. */
export function filePrograms(machine: Machine): [string, Program][] {
  const program =
    (work: (args: readonly string[]) => Work): Program =>
    async (me, args) => {
      return work(args)(machine.filesFor(me), me, (path) => absolute(me.cwd, path))
    }
  return [
    ['cat', async (me, args) => cat(machine, me, args)],
    ['tee', async (me, args) => tee(machine, me, args)],
    ['ls', program((args) => (files, me, at) => list(files, me, at, args))],
    ['stat', program((args) => (files, me, at) => stat(machine, files, me, at, args))],
    ['du', program((args) => (files, me, at) => usage(files, me, at, args))],
    [
      'mkdir',
      program((args) =>
        each('mkdir: cannot create directory', args, ['m', 'mode'], (files, path, { flags }) =>
          files.folder(path, { parents: flags.has('p') || flags.has('parents') }),
        ),
      ),
    ],
    ['rmdir', program((args) => each('rmdir: failed to remove', args, [], (files, path) => files.remove(path)))],
    [
      'touch',
      program((args) => each('touch: cannot touch', args, ['d', 't', 'r'], (files, path) => files.touch(path))),
    ],
    [
      'truncate',
      program((args) =>
        each('truncate: cannot open', args, ['s', 'size'], (files, path, { flags }) =>
          files.write(
            path,
            files.find(path) ? files.read(path).subarray(0, Number(flags.get('s') ?? flags.get('size') ?? 0)) : '',
          ),
        ),
      ),
    ],
    [
      'rm',
      program((args) =>
        each('rm: cannot remove', args, [], (files, path, { flags }) => {
          const node = files.find(path, { follow: false })
          const recursive = flags.has('r') || flags.has('R') || flags.has('recursive')
          if (!node && (flags.has('f') || flags.has('force'))) return
          if (node?.kind === 'folder' && !recursive) throw new FileError('EISDIR', path)
          files.remove(path, { recursive })
        }),
      ),
    ],
    ['unlink', program((args) => each('unlink: cannot unlink', args, [], (files, path) => files.remove(path)))],
    [
      'chmod',
      program((args) =>
        each('chmod: cannot access', afterFirst(args).rest, [], (files, path) =>
          files.chmod(path, modeFrom(files.get(path).mode, afterFirst(args).first)),
        ),
      ),
    ],
    [
      'chown',
      program((args) =>
        each('chown: cannot access', afterFirst(args).rest, [], (files, path) => {
          const node = files.get(path)
          const [owner, group] = afterFirst(args).first.split(':')
          files.chown(path, owner || node.owner, group || node.group)
        }),
      ),
    ],
    [
      'cp',
      program((args) =>
        copy('cp', args, (files, from, to) =>
          copyTree(
            files,
            from,
            to,
            args.some((arg) => /^-\w*[pa]/.test(arg)),
          ),
        ),
      ),
    ],
    ['mv', program((args) => copy('mv', args, (files, from, to) => files.move(from, to)))],
    [
      'ln',
      program((args) => (files, me, at) => {
        const { flags, rest } = readOptions(args)
        const [target = '', name = nameOf(target)] = rest
        const path =
          files.find(at(name))?.kind === 'folder' && !flags.has('n') ? `${at(name)}/${nameOf(target)}` : at(name)
        try {
          if (flags.has('f') && files.find(path, { follow: false })) files.remove(path)
          if (flags.has('s')) files.link(path, target)
          else files.write(path, files.read(at(target)))
          return 0
        } catch (error) {
          return say(me, `ln: failed to create ${flags.has('s') ? 'symbolic' : 'hard'} link '${name}'`, error)
        }
      }),
    ],
    ['install', program((args) => install(args))],
    [
      'readlink',
      program((args) => (files, me, at) => {
        const { flags, rest } = readOptions(args)
        const node = files.find(at(rest[0] ?? ''), { follow: false })
        if (flags.has('f') || flags.has('e'))
          me.out(`${files.find(at(rest[0] ?? '')) ? files.real(at(rest[0] ?? '')) : at(rest[0] ?? '')}\n`)
        else if (node?.kind === 'link') me.out(`${node.target}\n`)
        else return 1
        return 0
      }),
    ],
    [
      'realpath',
      program((args) => (files, me, at) => {
        const path = at(readOptions(args).rest[0] ?? '')
        if (!files.find(path)) return say(me, `realpath: ${args.at(-1)}`, new FileError('ENOENT', path))
        me.out(`${files.real(path)}\n`)
        return 0
      }),
    ],
    [
      'mktemp',
      program((args) => (files, me, at) => {
        const { flags, rest } = readOptions(args, ['p', 'tmpdir', 'suffix'])
        const folder = String(flags.get('p') ?? (rest[0]?.includes('/') ? '' : '/tmp'))
        const template = rest[0] ?? 'tmp.XXXXXXXXXX'
        const path = at(
          `${folder ? `${folder}/` : ''}${template.replace(/X{3,}/, (xs) => machine.random.uuid().replaceAll('-', '').slice(0, xs.length))}`,
        )
        if (flags.has('d')) files.folder(path, { mode: 0o700 })
        else files.write(path, '', { mode: 0o600 })
        me.out(`${path}\n`)
        return 0
      }),
    ],
    ['sync', async () => 0],
  ]
}

/** What `chmod` and `chown` take: the first word says what, the others where. */
function afterFirst(args: readonly string[]): { readonly first: string; readonly rest: readonly string[] } {
  const [first = '', ...rest] = args[0] === '--' ? args.slice(1) : args
  return { first, rest }
}

function say(me: Process, what: string, error: unknown): number {
  if (!(error instanceof FileError)) throw error
  me.err(`${what}: ${error.reason}\n`)
  return 1
}

async function cat(machine: Machine, me: Process, args: readonly string[]): Promise<number> {
  const { rest } = readOptions(args)
  let status = 0
  for (const name of rest.length > 0 ? rest : ['-']) {
    const path = absolute(me.cwd, name)
    try {
      if (name === '-' || path === '/dev/stdin') {
        for (let part = await me.fds.get(0)?.read(me.signal); part; part = await me.fds.get(0)?.read(me.signal))
          me.out(part)
      } else if (me.user !== 'root' && (machine.files.find(path)?.mode ?? 0o4) % 8 === 0) {
        throw new FileError('EACCES', path)
      } else {
        me.out(machine.files.read(path))
      }
    } catch (error) {
      status = say(me, `cat: ${name}`, error)
    }
  }
  return status
}

async function tee(machine: Machine, me: Process, args: readonly string[]): Promise<number> {
  const { flags, rest } = readOptions(args)
  const files = machine.filesFor(me)
  const bytes = await me.input()
  me.out(bytes)
  let status = 0
  for (const name of rest) {
    const path = absolute(me.cwd, name)
    try {
      if (path === '/dev/null') continue
      if (flags.has('a')) files.append(path, bytes)
      else files.write(path, bytes)
    } catch (error) {
      status = say(me, `tee: ${name}`, error)
    }
  }
  return status
}

function each(
  failure: string,
  args: readonly string[],
  takes: readonly string[],
  work: (files: Files, path: string, options: ReturnType<typeof readOptions>) => void,
): Work {
  return (files, me, at) => {
    const options = readOptions(args, takes)
    let status = 0
    for (const name of options.rest) {
      try {
        work(files, at(name), options)
      } catch (error) {
        const quoted = failure.startsWith('mkdir') ? `‘${name}’` : `'${name}'`
        status = say(me, `${failure} ${quoted}`, error)
      }
    }
    return status
  }
}

function copyTree(files: Files, from: string, to: string, keeps: boolean): void {
  const node = files.get(from)
  if (node.kind !== 'folder') {
    files.write(to, files.read(from), { mode: node.mode })
    if (keeps) files.chown(to, node.owner, node.group)
    return
  }
  files.folder(to, { parents: true })
  for (const name of files.list(from)) copyTree(files, `${from}/${name}`, `${to}/${name}`, keeps)
}

function copy(
  name: 'cp' | 'mv',
  args: readonly string[],
  work: (files: Files, from: string, to: string) => void,
): Work {
  return (files, me, at) => {
    const { flags, rest } = readOptions(args, ['t', 'S'])
    const sources = flags.has('t') ? rest : rest.slice(0, -1)
    const target = String(flags.get('t') ?? rest.at(-1) ?? '')
    if (sources.length === 0) return say(me, `${name}: missing file operand`, new FileError('ENOENT', ''))
    const folder = files.find(at(target))?.kind === 'folder' && !flags.has('T')
    let status = 0
    for (const source of sources) {
      const recursive = ['r', 'R', 'a', 'archive', 'recursive'].some((flag) => flags.has(flag))
      try {
        if (name === 'cp' && files.get(at(source)).kind === 'folder' && !recursive) {
          me.err(`cp: -r not specified; omitting directory '${source}'\n`)
          status = 1
          continue
        }
        const to = folder ? `${at(target)}/${nameOf(source)}` : at(target)
        if (flags.has('n') && files.find(to)) continue
        work(files, at(source), to)
      } catch (error) {
        status = say(
          me,
          files.find(at(source))
            ? `${name}: cannot create regular file '${target}'`
            : `${name}: cannot stat '${source}'`,
          error,
        )
      }
    }
    return status
  }
}

const install =
  (args: readonly string[]): Work =>
  (files, me, at) => {
    const { flags, rest } = readOptions(args, ['m', 'o', 'g', 'mode', 'owner', 'group'])
    const mode = Number.parseInt(String(flags.get('m') ?? flags.get('mode') ?? '755'), 8)
    try {
      if (flags.has('d')) for (const name of rest) files.folder(at(name), { parents: true, mode })
      else {
        const [from = '', to = ''] = rest
        const path = files.find(at(to))?.kind === 'folder' ? `${at(to)}/${nameOf(from)}` : at(to)
        if (flags.has('D')) files.folder(folderOf(path), { parents: true })
        files.write(path, from === '/dev/stdin' ? '' : files.read(at(from)), { mode })
        files.chmod(path, mode)
      }
      return 0
    } catch (error) {
      return say(me, `install: cannot install to '${rest.at(-1)}'`, error)
    }
  }

function modeFrom(mode: number, text: string): number {
  if (/^[0-7]+$/.test(text)) return Number.parseInt(text, 8)
  let result = mode
  for (const clause of text.split(',')) {
    const [, who = '', op = '', what = ''] = /^([ugoa]*)([-+=])([rwxXs]*)$/.exec(clause) ?? []
    const bits = (what.includes('r') ? 4 : 0) + (what.includes('w') ? 2 : 0) + (/[xX]/.test(what) ? 1 : 0)
    for (const [shift, letter] of [
      [6, 'u'],
      [3, 'g'],
      [0, 'o'],
    ] as const) {
      if (who !== '' && !who.includes(letter) && !who.includes('a')) continue
      if (op === '+') result |= bits << shift
      if (op === '-') result &= ~(bits << shift)
      if (op === '=') result = (result & ~(7 << shift)) | (bits << shift)
    }
  }
  return result
}
