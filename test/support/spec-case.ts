import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

/** A folder of `test/spec`: a runbook that fails, the same mended, and what the program says to the first. */
export interface SpecCase {
  readonly name: string
  /** The code it is an example of; undefined for a folder of valid runbooks. */
  readonly code: string | undefined
  readonly folder: string
  /** What to run on the failing runbook. */
  readonly fails: readonly string[]
  readonly passes: readonly (readonly string[])[]
  /** Where it runs: the folder, or a copy of it with files that git or an editor would spoil. */
  readonly cwd: string
}

/** `case.json`, for a case that is not plainly `runbook check fails.yaml`. */
interface Told {
  readonly fails?: readonly string[]
  readonly passes?: readonly string[]
  readonly make?: { readonly [file: string]: keyof typeof makers }
}

const specFolder = join(import.meta.dirname, '..', 'spec')

/** Every case, by name. `scratch` is a folder for copies and for runs. */
export function specCases(scratch: string): readonly SpecCase[] {
  const folders = readdirSync(specFolder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return folders.map(({ name }) => specCase(name, scratch)).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function specCase(name: string, scratch: string): SpecCase {
  const folder = join(specFolder, name)
  const has = (file: string) => existsSync(join(folder, file))
  const told: Told = has('case.json') ? (JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as Told) : {}
  const check = (file: string) => ['check', file, ...(has('inventory.yaml') ? ['--inventory', 'inventory.yaml'] : [])]
  const valid = readdirSync(folder).filter((file) => /^passes.*\.yaml$/.test(file))
  return {
    name,
    code: /^RB\d{4}/.exec(name)?.[0],
    folder,
    fails: told.fails ?? check('fails.yaml'),
    passes: told.passes ? [told.passes] : valid.map(check),
    cwd: told.make ? copyWith(folder, told.make, scratch) : folder,
  }
}

function copyWith(folder: string, make: NonNullable<Told['make']>, scratch: string): string {
  const copy = mkdtempSync(join(scratch, 'case-'))
  cpSync(folder, copy, { recursive: true })
  for (const [file, maker] of Object.entries(make))
    makers[maker](join(copy, file), readFileSync(join(folder, 'passes.yaml'), 'utf8'))
  return copy
}

/** Files that cannot be kept as they are, made from the runbook that passes. */
const makers = {
  folder: (path: string) => void mkdirSync(path),
  /** Nobody can read it, not even root. */
  'link to itself': (path: string) => symlinkSync(path, path),
  'two megabytes': (path: string, good: string) =>
    writeFileSync(path, good + '# a log line that was pasted in\n'.repeat(65_536)),
  'nothing but spaces': (path: string) => writeFileSync(path, '  \n\n'),
  'UTF-16': (path: string, good: string) => writeFileSync(path, `\ufeff${good}`, 'utf16le'),
  'Latin-1': (path: string, good: string) => writeFileSync(path, good, 'latin1'),
  'ten thousand deep': (path: string, good: string) =>
    writeFileSync(path, `${good}notes: ${'['.repeat(10_000)}${']'.repeat(10_000)}\n`),
  'indented with tabs': (path: string, good: string) => writeFileSync(path, good.replace(/^ {6}/m, '\t')),
  CRLF: (path: string, good: string) => writeFileSync(path, good.replaceAll('\n', '\r\n')),
  'byte order mark': (path: string, good: string) => writeFileSync(path, `\ufeff${good}`),
}
