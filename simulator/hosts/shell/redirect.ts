import { absolute, FileError } from '../machine/files.ts'
import { refuseWhenFull } from '../machine/guard.ts'
import { nothing, type OpenFile, readingFrom, writingTo } from '../machine/pipe.ts'
import { expandText } from './expand.ts'
import { type Shell, ShellProblem } from './state.ts'
import type { Redirect } from './syntax.ts'

/** The descriptors a redirect changes: an open file of one's own each, or nothing for one that is closed. @throws ShellProblem */
export async function openRedirect(
  shell: Shell,
  { fd, op, target }: Redirect,
): Promise<[number, OpenFile | undefined][]> {
  const text = await expandText(shell, target)
  switch (op) {
    case '<<':
      return [[fd, readingFrom(Buffer.from(text))]]
    case '<<<':
      return [[fd, readingFrom(Buffer.from(`${text}\n`))]]
    case '>&':
    case '<&': {
      if (text === '-') return [[fd, undefined]]
      if (!/^\d+$/.test(text)) {
        const file = openFile(shell, text, '>')
        return [
          [1, file],
          [2, file.keep()],
        ]
      }
      const file = shell.me.fds.get(Number(text))
      if (!file) throw new ShellProblem(`${text}: Bad file descriptor`)
      return [[fd, file.keep()]]
    }
    case '&>': {
      const file = openFile(shell, text, '>')
      return [
        [1, file],
        [2, file.keep()],
      ]
    }
    default:
      return [[fd, openFile(shell, text, op)]]
  }
}

function openFile(shell: Shell, name: string, op: '<' | '>' | '>>'): OpenFile {
  const { me, machine } = shell
  const path = absolute(me.cwd, name)
  const standard = { '/dev/stdin': 0, '/dev/stdout': 1, '/dev/stderr': 2 }[path]
  const shared = standard === undefined ? undefined : me.fds.get(standard)
  if (shared) return shared.keep()
  if (path === '/dev/null') return nothing()
  try {
    if (op === '<') return readingFrom(machine.files.read(path))
    const files = machine.filesFor(me)
    // recorded once, when it is opened; what is written then belongs to that
    if (op === '>') files.write(path, '')
    else files.append(path, '')
    return writingTo((bytes) => {
      refuseWhenFull(machine, path)
      machine.files.append(path, bytes)
    })
  } catch (error) {
    if (error instanceof FileError) throw new ShellProblem(`${name}: ${error.reason}`)
    throw error
  }
}
