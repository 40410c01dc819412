import { createHash } from 'node:crypto'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import type { Library } from '../check/check.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { didYouMean } from '../diagnostic.ts'
import { lower } from '../document/lower.ts'
import { problemAt } from '../document/problem.ts'
import { read } from '../document/read.ts'
import type { Runbook } from '../document/runbook.ts'
import { isFile, isFolder, namesIn, packageRoot } from '../host/files.ts'
import { looksLikePath } from './runbook-name.ts'
import { readSource } from './yaml-file.ts'

export interface LoadedRunbook {
  readonly path: string
  readonly runbook: Runbook | undefined
  readonly diagnostics: readonly Diagnostic[]
}

/** Runbooks by name or path: those of the configuration first, then those that ship. Each file is read once. */
export interface RunbookLibrary extends Library {
  load(nameOrPath: string): LoadedRunbook
  all(): readonly { readonly name: string; readonly path: string }[]
  /** SHA-256 of every file that was read. */
  files(): { readonly [path: string]: string }
  /** The problems of the files that were read to answer `find`. */
  problems(): readonly Diagnostic[]
}

export function runbookLibrary(folders: readonly string[], cwd: string): RunbookLibrary {
  const loaded = new Map<string, LoadedRunbook>()
  const digests: { [path: string]: string } = {}
  const searched = [...folders, join(packageRoot(), 'runbooks')]

  function all(): { name: string; path: string }[] {
    return searched.flatMap((folder) =>
      namesIn(folder)
        .filter((name) => /\.ya?ml$/.test(name))
        .map((name) => ({ name: name.replace(/\.ya?ml$/, ''), path: join(folder, name) })),
    )
  }

  function pathOf(called: string, from: string): string | undefined {
    if (looksLikePath(called)) return isAbsolute(called) ? called : resolve(from, called)
    const beside = ['.yaml', '.yml'].map((ending) => join(from, `${called}${ending}`)).find(isFile)
    return beside ?? all().find(({ name }) => name === called)?.path
  }

  function fileOf(called: string, from: string): string | undefined {
    const path = pathOf(called, dirname(resolve(cwd, from)))
    return path !== undefined && isFile(path) ? path : undefined
  }

  function loadFile(path: string): LoadedRunbook {
    const known = loaded.get(path)
    if (known) return known
    const shown = shownPath(path, cwd)
    const found = readSource(path)
    let result: LoadedRunbook
    if ('problem' in found)
      result = { path, runbook: undefined, diagnostics: [{ ...found.problem, source: { path: shown, text: '' } }] }
    else {
      const source = { path: shown, text: found.source.text }
      digests[shown] = createHash('sha256').update(source.text).digest('hex')
      const { value: tree, diagnostics } = read(source)
      const lowered = tree ? lower(source, tree) : { value: undefined, diagnostics: [] }
      result = { path, runbook: lowered.value, diagnostics: [...diagnostics, ...lowered.diagnostics] }
    }
    loaded.set(path, result)
    return result
  }

  return {
    all,
    names: () => all().map(({ name }) => name),
    files: () => digests,
    problems: () => [...loaded.values()].flatMap(({ diagnostics }) => diagnostics),
    find(called, from) {
      const path = fileOf(called, from)
      return path === undefined ? undefined : loadFile(path).runbook
    },
    has: (called, from) => fileOf(called, from) !== undefined,
    load(nameOrPath) {
      const here = resolve(cwd, nameOrPath)
      const path =
        isFile(here) || isFolder(here) || looksLikePath(nameOrPath)
          ? here
          : all().find(({ name }) => name === nameOrPath)?.path
      if (path !== undefined) return loadFile(path)
      const source = { path: nameOrPath, text: '' }
      const names = all().map(({ name }) => name)
      const hint = didYouMean(nameOrPath, names) ?? `there are: ${names.join(', ')}; a file is given by its path`
      return {
        path: nameOrPath,
        runbook: undefined,
        diagnostics: [
          problemAt(source, { start: 0, end: 0 }, 'RB1001', `there is no runbook and no file \`${nameOrPath}\``, hint),
        ],
      }
    },
  }
}

/** A path as people would type it here. */
export function shownPath(path: string, cwd: string): string {
  const near = relative(cwd, path)
  return near === '' ? basename(path) : near.startsWith('..') ? path : near
}
