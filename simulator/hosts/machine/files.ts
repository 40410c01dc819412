/** A file, a folder or a link of a host; times are world milliseconds since 1970. */
export type Node = FileNode | FolderNode | LinkNode

interface Inode {
  mode: number
  owner: string
  group: string
  modifiedAt: number
}
export interface FileNode extends Inode {
  readonly kind: 'file'
  /** Bytes, or how to make them each time somebody reads: the files of `/proc`. */
  content: Buffer | (() => string)
  /** Bytes it takes up, where that is more than is kept of it here: the data of a database. */
  readonly size?: number
}
export interface FolderNode extends Inode {
  readonly kind: 'folder'
  readonly entries: Map<string, Node>
}
export interface LinkNode extends Inode {
  readonly kind: 'link'
  readonly target: string
}

/** What a file operation failed with; `code` as in errno. */
export class FileError extends Error {
  override readonly name = 'FileError'
  readonly code: keyof typeof reasons

  constructor(code: keyof typeof reasons, path: string) {
    super(`${code}: ${reasons[code].toLowerCase()}, '${path}'`)
    this.code = code
  }
  /** As libc words it: `No such file or directory`. */
  get reason(): string {
    return reasons[this.code]
  }
}

const reasons = {
  ENOENT: 'No such file or directory',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  EEXIST: 'File exists',
  ENOTEMPTY: 'Directory not empty',
  EACCES: 'Permission denied',
  ENOSPC: 'No space left on device',
  ELOOP: 'Too many levels of symbolic links',
  EROFS: 'Read-only file system',
} as const

interface Provided {
  readonly modifiedAt?: () => number
  readonly size?: number
}

/** The files of one host, in memory. Paths are absolute. */
export interface Files {
  find(path: string, options?: { readonly follow?: boolean }): Node | undefined
  get(path: string, options?: { readonly follow?: boolean }): Node
  read(path: string): Buffer
  text(path: string): string
  write(path: string, content: Buffer | string, options?: { readonly mode?: number }): void
  append(path: string, content: Buffer | string): void
  /** A file whose content is made when it is read; the same goes for when it was written, where that is told. */
  provide(path: string, content: () => string, more?: Provided): void
  folder(path: string, options?: { readonly parents?: boolean; readonly mode?: number }): void
  link(path: string, target: string): void
  remove(path: string, options?: { readonly recursive?: boolean }): void
  move(from: string, to: string): void
  list(path: string): string[]
  real(path: string): string
  touch(path: string, at?: number): void
  chmod(path: string, mode: number): void
  chown(path: string, owner: string, group: string): void
}

/** An absolute path without `.`, `..` and double slashes, from a path as typed. */
export function absolute(cwd: string, path: string): string {
  const parts: string[] = []
  for (const part of (path.startsWith('/') ? path : `${cwd}/${path}`).split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

/** How long it is, in bytes. */
export function sizeOf(node: Node): number {
  if (node.kind === 'folder') return 4096
  if (node.kind === 'link') return node.target.length
  const { content, size } = node
  return size ?? (typeof content === 'function' ? Buffer.byteLength(content()) : content.length)
}

export const folderOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')))
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** @param now world milliseconds, for modification times */
export function createFiles(now: () => number): Files {
  const inode = (mode: number): Inode => ({ mode, owner: 'root', group: 'root', modifiedAt: now() })
  const root: FolderNode = { kind: 'folder', entries: new Map(), ...inode(0o755) }

  function walk(path: string, follow: boolean, depth = 0): { node: Node | undefined; real: string } {
    if (depth > 20) throw new FileError('ELOOP', path)
    const parts = absolute('/', path).split('/').filter(Boolean)
    let node: Node = root
    let real = ''
    for (const [index, part] of parts.entries()) {
      if (node.kind !== 'folder') throw new FileError('ENOTDIR', path)
      const next: Node | undefined = node.entries.get(part)
      if (!next) return { node: undefined, real: `${real}/${parts.slice(index).join('/')}` }
      const last = index === parts.length - 1
      if (next.kind === 'link' && (!last || follow)) {
        const target = absolute(real || '/', next.target)
        return walk([target, ...parts.slice(index + 1)].join('/'), follow, depth + 1)
      }
      node = next
      real = `${real}/${part}`
    }
    return { node, real: real || '/' }
  }

  function parentOf(path: string): { folder: FolderNode; name: string } {
    const real = absolute('/', path)
    const folder = get(folderOf(real))
    if (folder.kind !== 'folder') throw new FileError('ENOTDIR', path)
    return { folder, name: nameOf(real) }
  }

  function get(path: string, { follow = true } = {}): Node {
    const { node } = walk(path, follow)
    if (!node) throw new FileError('ENOENT', path)
    return node
  }

  function fileAt(path: string): FileNode {
    const node = get(path)
    if (node.kind === 'folder') throw new FileError('EISDIR', path)
    return node as FileNode
  }

  function put(path: string, node: Node): void {
    const { folder, name } = parentOf(path)
    folder.entries.set(name, node)
    folder.modifiedAt = now()
  }

  const bytesOf = ({ content }: FileNode) => (typeof content === 'function' ? Buffer.from(content()) : content)

  const files: Files = {
    find(path, { follow = true } = {}) {
      try {
        return walk(path, follow).node
      } catch {
        return undefined
      }
    },
    get,
    read: (path) => bytesOf(fileAt(path)),
    text: (path) => bytesOf(fileAt(path)).toString(),
    write(path, content, { mode } = {}) {
      const { node, real } = walk(path, true)
      if (node?.kind === 'folder') throw new FileError('EISDIR', path)
      const bytes = Buffer.from(content)
      if (node?.kind === 'file') Object.assign(node, { content: bytes, modifiedAt: now(), ...(mode && { mode }) })
      else put(real, { kind: 'file', content: bytes, ...inode(mode ?? 0o644) })
    },
    append(path, content) {
      files.write(path, files.find(path) ? Buffer.concat([files.read(path), Buffer.from(content)]) : content)
    },
    provide(path, content, { modifiedAt, size } = {}) {
      files.folder(folderOf(path), { parents: true })
      const node: FileNode = { kind: 'file', content, ...(size !== undefined && { size }), ...inode(0o444) }
      if (modifiedAt) Object.defineProperty(node, 'modifiedAt', { get: modifiedAt })
      put(path, node)
    },
    folder(path, { parents = false, mode = 0o755 } = {}) {
      const found = files.find(path)
      if (found?.kind === 'folder' && parents) return
      if (found) throw new FileError('EEXIST', path)
      if (parents) files.folder(folderOf(absolute('/', path)), { parents })
      put(path, { kind: 'folder', entries: new Map(), ...inode(mode) })
    },
    link(path, target) {
      if (files.find(path, { follow: false })) throw new FileError('EEXIST', path)
      put(path, { kind: 'link', target, ...inode(0o777) })
    },
    remove(path, { recursive = false } = {}) {
      const node = get(path, { follow: false })
      if (node.kind === 'folder' && node.entries.size > 0 && !recursive) throw new FileError('ENOTEMPTY', path)
      const { folder, name } = parentOf(path)
      folder.entries.delete(name)
      folder.modifiedAt = now()
    },
    move(from, to) {
      const node = get(from, { follow: false })
      const target = files.find(to, { follow: false })
      if (target?.kind === 'folder' && node.kind !== 'folder') throw new FileError('EISDIR', to)
      put(to, node)
      const { folder, name } = parentOf(from)
      if (absolute('/', from) !== absolute('/', to)) folder.entries.delete(name)
    },
    list(path) {
      const node = get(path)
      if (node.kind !== 'folder') throw new FileError('ENOTDIR', path)
      return [...node.entries.keys()].sort()
    },
    real(path) {
      const { node, real } = walk(path, true)
      if (!node) throw new FileError('ENOENT', path)
      return real
    },
    touch(path, at = now()) {
      const node = files.find(path)
      if (node) node.modifiedAt = at
      else files.write(path, '')
    },
    chmod(path, mode) {
      get(path).mode = mode
    },
    chown(path, owner, group) {
      Object.assign(get(path), { owner, group })
    },
  }
  return files
}
