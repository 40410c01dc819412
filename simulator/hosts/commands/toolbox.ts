import { Bash, type CommandName, type IFileSystem } from 'just-bash'
import { absolute, FileError, type Files, type FolderNode, type Node, sizeOf } from '../machine/files.ts'
import type { Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'

/** Text tools that need nothing of a machine but its files: taken whole from just-bash, one call each. */
const tools = [
  'awk',
  'basename',
  'comm',
  'cut',
  'diff',
  'dirname',
  'egrep',
  'expr',
  'fgrep',
  'file',
  'find',
  'fold',
  'grep',
  'head',
  'join',
  'jq',
  'nl',
  'od',
  'paste',
  'rev',
  'sed',
  'seq',
  'sort',
  'strings',
  'tac',
  'tail',
  'tr',
  'tree',
  'uniq',
  'wc',
  'xan',
] as const satisfies readonly CommandName[]

export function toolPrograms(machine: Machine): [string, Program][] {
  return tools.map((name) => [name, toolProgram(machine, name)])
}

function toolProgram(machine: Machine, name: (typeof tools)[number]): Program {
  return async (me, args) => {
    const bytes = name === 'head' ? /^-c *(\d+)$/.exec(args.join(' '))?.[1] : undefined
    if (bytes !== undefined) return firstBytes(me, Number(bytes))
    const stdin = readsInput(name, args) ? await me.input() : Buffer.alloc(0)
    const bash = new Bash({
      commands: [name],
      fs: fileSystemOf(machine.filesFor(me)),
      cwd: me.cwd,
      env: Object.fromEntries(me.env),
      // what runs here is our own simulation, and its files read the clock while a tool runs
      defenseInDepth: false,
    })
    const result = await bash.exec(name, {
      args: name.endsWith('grep') ? args.filter((arg) => !harmless.test(arg)) : [...args],
      stdin: stdin.toString('latin1'),
      stdinKind: 'bytes',
      cwd: me.cwd,
      signal: me.signal,
    })
    const binary = result.stdoutKind === 'bytes' || result.stdoutEncoding === 'binary'
    me.out(Buffer.from(result.stdout, binary ? 'latin1' : 'utf8'))
    if (result.stderr !== '') me.err(result.stderr)
    return result.exitCode
  }
}

/** `head -c` of standard input takes what it is to take, and leaves the rest to the next that reads. */
async function firstBytes(me: Process, count: number): Promise<number> {
  const input = me.fds.get(0)
  for (let left = count; left > 0; ) {
    const part = await input?.read(me.signal)
    if (!part) break
    me.out(part.subarray(0, left))
    if (part.length > left) input?.unread(part.subarray(left))
    left -= Math.min(left, part.length)
  }
  return 0
}

/** Options of grep that change nothing here, and that the tool does not know. */
const harmless = /^(-a|--text|--color(=.*)?|--line-buffered)$/

/** Whether it may want standard input: one that only looks at files must not wait for an input nobody closes. */
function readsInput(name: string, args: readonly string[]): boolean {
  if (['basename', 'dirname', 'expr', 'find', 'seq', 'tree', 'file'].includes(name)) return false
  const plain = args.filter((arg, index) => !arg.startsWith('-') && !/^-[a-zA-Z]$/.test(args[index - 1] ?? ''))
  if (args.includes('-')) return true
  const options = args.filter((arg) => /^-[ef]$|^--(regexp|expression|file)/.test(arg)).length
  const scripted = ['awk', 'egrep', 'fgrep', 'grep', 'jq', 'sed'].includes(name) && options === 0 ? 1 : 0
  if (/grep$/.test(name) && args.some((arg) => /^-\w*r/i.test(arg))) return false
  return name === 'tr' || plain.length <= scripted
}

/** The simulated files in the shape the tools want; what they change is changed, and recorded, here. */
function fileSystemOf(files: Files): IFileSystem {
  const stat = (node: Node) => ({
    isFile: node.kind === 'file',
    isDirectory: node.kind === 'folder',
    isSymbolicLink: node.kind === 'link',
    mode: node.mode,
    size: sizeOf(node),
    mtime: new Date(node.modifiedAt),
  })
  const attempt = async <T>(work: () => T): Promise<T> => {
    try {
      return work()
    } catch (error) {
      // the tools know an error by the code at the start of its message
      throw error instanceof FileError ? new Error(error.message) : error
    }
  }
  return {
    readFile: (path) => attempt(() => files.text(path)),
    readFileBuffer: (path) => attempt(() => files.read(path)),
    writeFile: (path, content) => attempt(() => files.write(path, Buffer.from(content))),
    appendFile: (path, content) => attempt(() => files.append(path, Buffer.from(content))),
    exists: async (path) => files.find(path) !== undefined,
    stat: (path) => attempt(() => stat(files.get(path))),
    lstat: (path) => attempt(() => stat(files.get(path, { follow: false }))),
    mkdir: (path, options) => attempt(() => files.folder(path, { parents: options?.recursive ?? false })),
    readdir: (path) => attempt(() => files.list(path)),
    readdirWithFileTypes: (path) =>
      attempt(() =>
        files.list(path).map((name) => {
          const kind = (files.get(path) as FolderNode).entries.get(name)?.kind
          return { name, isFile: kind === 'file', isDirectory: kind === 'folder', isSymbolicLink: kind === 'link' }
        }),
      ),
    rm: (path, options) =>
      attempt(() => {
        if (options?.force && !files.find(path, { follow: false })) return
        files.remove(path, { recursive: options?.recursive ?? false })
      }),
    cp: (from, to) => attempt(() => files.write(to, files.read(from))),
    mv: (from, to) => attempt(() => files.move(from, to)),
    resolvePath: (base, path) => absolute(base, path),
    getAllPaths: () => [],
    chmod: (path, mode) => attempt(() => files.chmod(path, mode)),
    symlink: (target, path) => attempt(() => files.link(path, target)),
    link: (from, to) => attempt(() => files.write(to, files.read(from))),
    readlink: (path) =>
      attempt(() => {
        const node = files.get(path, { follow: false })
        if (node.kind !== 'link') throw new FileError('ENOENT', path)
        return node.target
      }),
    realpath: (path) => attempt(() => files.real(path)),
    utimes: (path, _accessed, modified) => attempt(() => files.touch(path, modified.getTime())),
  }
}
