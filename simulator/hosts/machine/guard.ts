import { FileError, type Files } from './files.ts'
import type { Machine } from './machine.ts'
import type { Process } from './process.ts'

/** Files as one process may use them: others' files are closed to it, full disks refuse, and changes are recorded. */
export function guardedFiles(machine: Machine, me: Process): Files {
  const { files } = machine
  const home = machine.users.get(me.user)?.home ?? '/nonexistent'
  const mayWrite = (path: string) =>
    me.user === 'root' ||
    [home, '/tmp', '/var/tmp', '/dev/shm'].some((own) => path === own || path.startsWith(`${own}/`))

  function check(path: string, grows: boolean): void {
    if (!mayWrite(path)) throw new FileError('EACCES', path)
    if (grows) refuseWhenFull(machine, path)
  }
  const changed = (what: string, path: string, detail: object = {}) =>
    me.effect(`host.file.${what}`, `${machine.name}:${path}`, { user: me.user, ...detail })

  return {
    ...files,
    write(path, content, options) {
      check(path, true)
      files.write(path, content, options)
      changed('write', path)
    },
    append(path, content) {
      check(path, true)
      files.append(path, content)
      changed('write', path)
    },
    folder(path, options) {
      if (files.find(path)?.kind === 'folder' && options?.parents) return
      check(path, true)
      files.folder(path, options)
      changed('mkdir', path)
    },
    link(path, target) {
      check(path, true)
      files.link(path, target)
      changed('link', path, { target })
    },
    remove(path, options) {
      check(path, false)
      files.remove(path, options)
      changed('remove', path)
    },
    move(from, to) {
      check(from, false)
      check(to, false)
      files.move(from, to)
      changed('move', to, { from })
    },
    touch(path, at) {
      const existed = files.find(path) !== undefined
      check(path, !existed)
      files.touch(path, at)
      changed('touch', path)
    },
    chmod(path, mode) {
      check(path, false)
      files.chmod(path, mode)
      changed('chmod', path, { mode: mode.toString(8) })
    },
    chown(path, owner, group) {
      check(path, false)
      files.chown(path, owner, group)
      changed('chown', path, { owner, group })
    },
  }
}

/** @throws FileError ENOSPC, when the file system a path stands on has no room or no inodes left */
export function refuseWhenFull(machine: Machine, path: string): void {
  const mount = mountOf(machine, path)
  if (mount && (mount.used >= mount.size || mount.inodesUsed >= mount.inodes)) throw new FileError('ENOSPC', path)
}

/** The file system a path stands on. */
export function mountOf({ mounts }: Pick<Machine, 'mounts'>, path: string): Machine['mounts'][number] | undefined {
  const under = mounts.filter(({ at }) => at === '/' || path === at || path.startsWith(`${at}/`))
  return under.sort((a, b) => b.at.length - a.at.length)[0]
}
