import { type Files, type Node, sizeOf } from '../machine/files.ts'
import { mountOf } from '../machine/guard.ts'
import type { Machine } from '../machine/machine.ts'
import type { Process } from '../machine/process.ts'
import { formatted } from '../shell/printf.ts'
import { readOptions } from './options.ts'

const letters = (mode: number) =>
  [6, 3, 0]
    .map(
      (shift) =>
        `${mode & (4 << shift) ? 'r' : '-'}${mode & (2 << shift) ? 'w' : '-'}${mode & (1 << shift) ? 'x' : '-'}`,
    )
    .join('')
const kindLetter = { file: '-', folder: 'd', link: 'l' } as const

/** `ls`, with `-l`, `-a`, `-d`, `-t` and `-r`. */
export function list(files: Files, me: Process, at: (path: string) => string, args: readonly string[]): number {
  const { flags, rest } = readOptions(args, ['I', 'color', 'time-style'])
  const long = flags.has('l') || flags.has('n')
  const show = (name: string, node: Node): string => {
    if (!long) return `${name}${flags.has('p') && node.kind === 'folder' ? '/' : ''}\n`
    const size = sizeOf(node)
    const date = new Date(node.modifiedAt)
    const when = `${months[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${date.toISOString().slice(11, 16)}`
    const links = node.kind === 'folder' ? 2 : 1
    return `${kindLetter[node.kind]}${letters(node.mode)} ${links} ${node.owner} ${node.group} ${String(size).padStart(5)} ${when} ${name}${node.kind === 'link' ? ` -> ${node.target}` : ''}\n`
  }
  let status = 0
  const wanted = rest.length > 0 ? rest : ['.']
  for (const [index, name] of wanted.entries()) {
    const node = files.find(at(name), { follow: !long })
    if (!node) {
      me.err(`ls: cannot access '${name}': No such file or directory\n`)
      status = 2
    } else if (node.kind !== 'folder' || flags.has('d')) {
      me.out(show(name, node))
    } else {
      if (wanted.length > 1) me.out(`${index > 0 ? '\n' : ''}${name}:\n`)
      const entries = [...node.entries.keys()]
        .sort()
        .filter((entry) => flags.has('a') || flags.has('A') || !entry.startsWith('.'))
      if (flags.has('t'))
        entries.sort((a, b) => (node.entries.get(b)?.modifiedAt ?? 0) - (node.entries.get(a)?.modifiedAt ?? 0))
      if (flags.has('r')) entries.reverse()
      if (long) me.out(`total ${entries.length * 4}\n`)
      if (flags.has('a')) for (const dot of ['.', '..']) me.out(show(dot, node))
      for (const entry of entries) {
        const found = node.entries.get(entry)
        if (found) me.out(show(entry, found))
      }
    }
  }
  return status
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `stat`, with `-c FORMAT`. */
export function stat(
  machine: Machine,
  files: Files,
  me: Process,
  at: (path: string) => string,
  args: readonly string[],
): number {
  const { flags, rest } = readOptions(args, ['c', 'format', 'printf'])
  const format = flags.get('c') ?? flags.get('format') ?? flags.get('printf')
  let status = 0
  for (const name of rest) {
    const path = at(name)
    const node = files.find(path, { follow: flags.has('L') })
    if (!node) {
      me.err(`stat: cannot statx '${name}': No such file or directory\n`)
      status = 1
      continue
    }
    const size = sizeOf(node)
    const uid = (user: string) => machine.users.get(user)?.uid ?? 0
    const stamp = `${new Date(node.modifiedAt).toISOString().replace('T', ' ').replace('Z', '000000')} +0000`
    const mode = node.mode.toString(8)
    const kind = {
      file: size === 0 ? 'regular empty file' : 'regular file',
      folder: 'directory',
      link: 'symbolic link',
    }[node.kind]
    const values: Readonly<Record<string, string | number>> = {
      n: name,
      s: size,
      a: mode,
      A: `${kindLetter[node.kind]}${letters(node.mode)}`,
      U: node.owner,
      G: node.group,
      u: uid(node.owner),
      g: uid(node.group),
      F: kind,
      Y: Math.floor(node.modifiedAt / 1000),
      X: Math.floor(node.modifiedAt / 1000),
      Z: Math.floor(node.modifiedAt / 1000),
      y: stamp,
      m: mountOf(machine, path)?.at ?? '/',
      h: 1,
      N: `'${name}'`,
    }
    if (typeof format === 'string') {
      const text = format.replace(/%([a-zA-Z%])/g, (_, letter: string) =>
        String(letter === '%' ? '%' : (values[letter] ?? '?')),
      )
      me.out(flags.has('printf') ? formatted(text, []) : `${text}\n`)
    } else {
      const blocks = Math.ceil(size / 4096) * 8
      me.out(
        `  File: ${name}\n  Size: ${String(size).padEnd(10)}\tBlocks: ${String(blocks).padEnd(10)} IO Block: 4096   ${kind}\nDevice: 254,1\tInode: 131073      Links: 1\nAccess: (0${mode}/${values['A']})  Uid: (${String(values['u']).padStart(5)}/${node.owner.padStart(8)})   Gid: (${String(values['g']).padStart(5)}/${node.group.padStart(8)})\nAccess: ${stamp}\nModify: ${stamp}\nChange: ${stamp}\n Birth: ${stamp}\n`,
      )
    }
  }
  return status
}

/** `du`, with `-s`, `-k`, `-b` and `-h`: what is in each folder, in blocks of 4 KiB or, with `-b`, as it is long. */
export function usage(files: Files, me: Process, at: (path: string) => string, args: readonly string[]): number {
  const { flags, rest } = readOptions(args, ['B', 'block-size', 'd', 'max-depth', 'exclude'])
  const exact = flags.has('b')
  const shown = (bytes: number) => (flags.has('h') ? human(bytes) : String(exact ? bytes : Math.ceil(bytes / 1024)))
  const weigh = (node: Node, name: string, top: boolean): number => {
    const own = exact ? sizeOf(node) : Math.ceil(sizeOf(node) / 4096) * 4096
    if (node.kind !== 'folder') {
      if (top) me.out(`${shown(own)}\t${name}\n`)
      return own
    }
    let sum = own
    for (const [entry, found] of [...node.entries].sort(([one], [two]) => (one < two ? -1 : 1)))
      sum += weigh(found, `${name.replace(/\/$/, '')}/${entry}`, false)
    if (top || !(flags.has('s') || flags.has('summarize'))) me.out(`${shown(sum)}\t${name}\n`)
    return sum
  }
  let status = 0
  for (const name of rest.length > 0 ? rest : ['.']) {
    const node = files.find(at(name))
    if (node) weigh(node, name, true)
    else {
      me.err(`du: cannot access '${name}': No such file or directory\n`)
      status = 1
    }
  }
  return status
}

/** As `-h` says it: rounded up, with one digit behind the point below ten. */
function human(bytes: number): string {
  let value = bytes
  let step = 0
  for (; value >= 1024 && step < 5; step += 1) value /= 1024
  const unit = ['', 'K', 'M', 'G', 'T', 'P'][step]
  return `${value < 10 && step > 0 ? (Math.ceil(value * 10) / 10).toFixed(1) : Math.ceil(value)}${unit}`
}
