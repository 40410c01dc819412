import { execFile, execFileSync, spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Command } from '../../../engine/action/contract.ts'
import { invocationOf, quoteWord, remoteCommand, showCommand } from '../../../engine/host/command.ts'

/** Whether this machine has the program that is to read a script. */
const isHere = ([program = '']: readonly string[]) => spawnSync('sh', ['-c', 'command -v "$0"', program]).status === 0

/** Prints how many arguments it was given, and each, ended by a NUL. */
const printer = ['sh', '-c', `printf '%s\\0' "$#" "$@"`, 'printer']

const word = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    '',
    '-',
    '--',
    '-n',
    '-e',
    "'",
    '"',
    "'\\''",
    '\n',
    '$(id)',
    '`id`',
    '$HOME',
    '*',
    '~',
    '\\',
    '!!',
    'é',
    '名',
    '\u{1f600}',
    ';',
    '&',
    '#',
  ),
  fc.array(fc.constantFrom("'", '\\', '"', '\n', ' ', 'a', '$'), { maxLength: 12 }).map((parts) => parts.join('')),
)

function runAsRemote(command: Command): Promise<{ code: number; stdout: string; stderr: string }> {
  const { text, stdin } = remoteCommand(command, 'MARK')
  return new Promise((resolve) => {
    const child = execFile('/bin/sh', ['-c', text], { encoding: 'utf8', maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    )
    child.stdin?.on('error', () => {})
    child.stdin?.end(stdin)
  })
}

describe('words', () => {
  test('any word is read back by a real shell as it was', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        const text = [...printer, ...words].map(quoteWord).join(' ')
        const read = execFileSync('/bin/sh', ['-c', text], { encoding: 'utf8' }).split('\0').slice(0, -1)
        expect(read).toEqual([`${words.length}`, ...words])
      }),
      { numRuns: 150 },
    )
  })

  test('any words, environment and folder reach a program through the text sent to a host', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 6 }), word, async (words, value) => {
        const argv = ['sh', '-c', `printf '%s\\0' "$V" "$PWD" "$@"`, 'printer', ...words]
        const { stdout } = await runAsRemote({ argv, env: { V: value, 'odd.name': '1' }, cwd: '/tmp' })
        expect(stdout.split('\0').slice(0, -1)).toEqual([value, '/tmp', ...words])
      }),
      { numRuns: 40 },
    )
  })

  test('no word is run by a shell: a builtin is no program', async () => {
    const { code, stdout } = await runAsRemote({ argv: ['eval', 'echo leaked'] })
    expect({ code, stdout }).toEqual({ code: 127, stdout: '' })
  })

  test('the program leads a process group of its own and tells its number first', async () => {
    const { stdout, stderr } = await runAsRemote({ argv: ['sh', '-c', 'echo $$; ps -o pgid= -p $$'] })
    const [pid, group] = stdout.trim().split(/\s+/)
    expect(stderr).toBe(`MARK ${pid}\n`)
    expect(group).toBe(pid)
  })

  test('a folder that is not there ends with 126, and the program does not run', async () => {
    const { code, stdout } = await runAsRemote({ argv: ['echo', 'ran'], cwd: '/nowhere' })
    expect({ code, stdout }).toEqual({ code: 126, stdout: '' })
  })

  test.each([
    ['NUL in a word', { argv: ['echo', 'a\0b'] }],
    ['NUL in a script', { script: { text: 'echo \0', interpreter: ['sh'], args: [] } }],
    ['NUL in the environment', { argv: ['env'], env: { A: 'a\0' } }],
    ['an odd name in the environment', { argv: ['env'], env: { 'A=B': 'a' } }],
    ['no words', { argv: [] }],
    ['a program that begins with a dash', { argv: ['-x'] }],
    ['no interpreter', { script: { text: 'a', interpreter: [], args: [] } }],
  ] satisfies [string, Command][])('%s is refused', (_, command) => {
    expect(() => invocationOf(command)).toThrow(expect.objectContaining({ code: 'bad_command' }))
  })
})

describe('scripts', () => {
  const script = (text: string, interpreter: string[], args: string[] = []) => ({
    text,
    interpreter,
    args,
  })

  const interpreters: readonly [name: string, words: string[], text: string][] = [
    ['sh', ['sh'], `printf '%s|' "$@"; cat`],
    ['a shell with options', ['bash', '-euo', 'pipefail'], `printf '%s|' "$@"; cat`],
    ['a program before the shell', ['env', 'sh', '-u'], `printf '%s|' "$@"; cat`],
    [
      'python',
      ['python3', '-u'],
      'import sys\nprint("|".join(sys.argv[1:]), end="|", flush=True)\nprint(sys.stdin.read(), end="")',
    ],
    ['perl', ['perl'], 'print map { "$_|" } @ARGV; @ARGV = (); print while <STDIN>'],
    [
      'a program that is told a file',
      ['awk', '-f'],
      `BEGIN { for (i = 1; i < ARGC; i++) printf "%s|", ARGV[i]; while ((getline line < "-") > 0) print line }`,
    ],
  ]
  for (const [name, interpreter, text] of interpreters) {
    test.skipIf(!isHere(interpreter))(`${name} gets its arguments and its standard input`, async () => {
      const { stdout } = await runAsRemote({ script: script(text, interpreter, ["it's", '', '-x']), stdin: 'data\n' })
      expect(stdout).toBe("it's||-x|data\n")
    })
  }

  test('a script too long for a word goes through a file, which is removed', async () => {
    const text = `${'# é long\n'.repeat(30_000)}printf '%s|' "$0" "$@"; cat; exit 7`
    const { code, stdout } = await runAsRemote({ script: script(text, ['sh'], ['a b']), stdin: 'data' })
    const [file = ''] = stdout.split('|')
    expect({ code, rest: stdout.slice(file.length) }).toEqual({ code: 7, rest: '|a b|data' })
    expect(execFileSync('sh', ['-c', `ls ${quoteWord(file)} 2>&1 || true`], { encoding: 'utf8' })).toContain(
      'No such file',
    )
  })
})

test('what people see is quoted where it must be', () => {
  expect(showCommand({ argv: ['grep', '-c', 'a b', "it's", '/etc/hosts'] })).toBe(`grep -c 'a b' 'it'\\''s' /etc/hosts`)
})
