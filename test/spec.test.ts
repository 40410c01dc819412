/** The specification of the checker: each folder of `test/spec` is an example, and the program must say exactly what it expects. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { codes } from '../engine/codes.ts'
import { program } from './support/program.ts'
import { runCli } from './support/run-cli.ts'
import { specCases } from './support/spec-case.ts'

const scratch = mkdtempSync(join(tmpdir(), 'runbook-spec-'))
const cases = specCases(scratch)
const failing = cases.filter(({ code }) => code !== undefined)
const unwritten = failing.filter(({ folder }) => !existsSync(join(folder, 'expected.txt'))).map(({ name }) => name)
const pages = join(import.meta.dirname, '..', 'docs', 'codes')

afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** What a command prints, wherever the case stands. */
async function said(args: readonly string[], cwd: string) {
  const { exit, stdout, stderr } = await runCli(args, { cwd, home: scratch })
  return { exit, text: (stdout + stderr).replaceAll(`${cwd}/`, '') }
}

describe('every problem', () => {
  test('has an example, a page and what is expected; and every example a problem', () => {
    const known = Object.keys(codes)
    expect([...new Set(failing.map(({ code }) => code))]).toEqual(known)
    expect(readdirSync(pages).map((file) => file.replace('.md', ''))).toEqual(known)
    expect(unwritten).toEqual([])
  })

  test.each(failing)('$name is told as expected', async ({ folder, fails, cwd, code }) => {
    const { exit, text } = await said(fails, cwd)
    const told = [...text.matchAll(/^(?:error|warning) (RB\d{4})/gm)].map(([, each]) => each)
    expect(new Set(told)).toEqual(new Set([code]))
    expect(exit).toBe(/^error RB/m.test(text) ? 2 : 0)
    await expect(text).toMatchFileSnapshot(join(folder, 'expected.txt'))
  })
})

describe('every mended example', () => {
  const mended = cases.flatMap(({ name, passes, cwd }) =>
    passes.map((args) => ({ name: `${name}: ${args.join(' ')}`, args, cwd })),
  )
  test.each(mended)('$name has no problem', async ({ args, cwd }) => {
    const { exit, text } = await said(args, cwd)
    expect(args[0] === 'check' ? text : '').toBe(args[0] === 'check' ? '1 runbook checked, no problems\n' : '')
    expect([exit, text.match(/RB\d{4}/)]).toEqual([0, null])
  })

  test('stands beside every failing one', () => {
    expect(cases.filter(({ passes }) => passes.length === 0).map(({ name }) => name)).toEqual([])
  })
})

describe('the built program', () => {
  const some = cases.filter(({ name }) => /^RB(1007|1102|2001|2402|3003)/.test(name))
  test.each(some)('says the same of $name', async ({ fails, cwd, folder }) => {
    const { text, exit } = builtProgram(fails, cwd)
    expect(text).toBe(readFileSync(join(folder, 'expected.txt'), 'utf8'))
    expect(exit).toBe(2)
  })
})

function builtProgram(args: readonly string[], cwd: string): { readonly text: string; readonly exit: number } {
  try {
    const text = execFileSync(process.execPath, [program, ...args], {
      cwd,
      env: { HOME: scratch, PATH: process.env['PATH'] },
      encoding: 'utf8',
      stdio: 'pipe',
    })
    return { text, exit: 0 }
  } catch (error) {
    const { stdout, stderr, status } = error as { stdout: string; stderr: string; status: number }
    return { text: (stdout + stderr).replaceAll(`${cwd}/`, ''), exit: status }
  }
}

describe('every page', () => {
  test.each(Object.entries(codes))(
    'of %s says what the code means, how to mend it, and shows the example',
    async (code, meaning) => {
      const page = readFileSync(join(pages, `${code}.md`), 'utf8')
      expect(page.split('\n')[0]).toBe(`# ${code}: ${meaning}`)
      expect(page).toContain('## How to mend it')
      expect((await runCli(['explain', code], { cwd: scratch, home: scratch })).stdout).toBe(page)
      const examples = failing
        .filter((each) => each.code === code)
        .map(({ folder }) => ['fails', 'passes'].map((name) => textsOf(folder, name)))
      const snippets = [...page.matchAll(/^```yaml( fails)?\n([\s\S]*?)^```$/gm)].map(([, fails, text = '']) => ({
        of: fails ? 0 : 1,
        text,
      }))
      // what a page shows stands in the example, so that it is known to be so
      const strays = snippets.filter(
        ({ of, text }) => !examples.some((each) => flat(each[of] ?? '').includes(flat(text))),
      )
      expect(strays).toEqual([])
      const named = [...page.matchAll(/\bRB\d{4}\b/g)].map(([each]) => each)
      expect(named.filter((each) => !Object.hasOwn(codes, each))).toEqual([])
    },
  )
})

function textsOf(folder: string, name: string): string {
  return readdirSync(folder)
    .filter((file) => file.startsWith(name) && existsSync(join(folder, file)))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n')
}

function flat(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
}
