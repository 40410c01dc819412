import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import Handlebars from 'handlebars'
import { describe, expect, test } from 'vitest'
import { splitCommand } from '../../engine/command-line.ts'

const wordsOf = (text: string): string[] => {
  const split = splitCommand(text)
  if ('problem' in split) throw new Error(`${split.problem.kind}: ${split.problem.message}`)
  return split.words.map((word) => word.text)
}

const problemOf = (text: string) => {
  const split = splitCommand(text)
  return 'problem' in split ? split.problem : undefined
}

describe('a command line', () => {
  test.each([
    ['systemctl restart nova-compute', ['systemctl', 'restart', 'nova-compute']],
    ['  uptime\t-s \n', ['uptime', '-s']],
    ['', []],
    [' \n', []],
    [`echo 'a b' "c d" e\\ f`, ['echo', 'a b', 'c d', 'e f']],
    [`echo '' ""`, ['echo', '', '']],
    [`echo a'b'"c"d`, ['echo', 'abcd']],
    [`echo "a\\"b" "\\$x" "\\n"`, ['echo', 'a"b', '$x', '\\n']],
    [`echo 'it'\\''s'`, ['echo', "it's"]],
    ['one \\\n  two', ['one', 'two']],
    [`printf '%s\n' "x\ny"`, ['printf', '%s\n', 'x\ny']],
    [`grep '\\$HOME|a' b`, ['grep', '\\$HOME|a', 'b']],
    ['[ -e /etc/hosts ]', ['[', '-e', '/etc/hosts', ']']],
    ['echo a#b x~', ['echo', 'a#b', 'x~']],
    ['curl --user=a:b x=y', ['curl', '--user=a:b', 'x=y']],
    ["echo ' '", ['echo', ' ']],
  ])('%j is split as a shell would', (text, words) => {
    expect(wordsOf(text)).toEqual(words)
  })

  test.each([
    ['systemctl restart {{ inputs.unit }}', ['systemctl', 'restart', '{{ inputs.unit }}']],
    ['a {{#if x}}y{{/if}} {{^x}}n{{/x}}', ['a', '{{#if x}}y{{/if}}', '{{^x}}n{{/x}}']],
    [`a "{{#if x}}y z{{else}}w{{/if}}"`, ['a', '{{#if x}}y z{{else}}w{{/if}}']],
    [`echo {{ default inputs.a "b c | }}" }}:1`, ['echo', '{{ default inputs.a "b c | }}" }}:1']],
    [`echo '{{ x "it''s" }}'`, ['echo', `{{ x "it''s" }}`]],
    ['echo {{a.[b c}} d]}}', ['echo', '{{a.[b c}} d]}}']],
    ['echo {{!-- }} | --}}b {{{ c }}}', ['echo', '{{!-- }} | --}}b', '{{{ c }}}']],
    [`docker ps --format '\\{{.Names}}'`, ['docker', 'ps', '--format', '\\{{.Names}}']],
    [`echo \\\\{{ x }}`, ['echo', '\\\\{{ x }}']],
    ['echo {a} }}', ['echo', '{a}', '}}']],
  ])('%j keeps its templates whole', (text, words) => {
    expect(wordsOf(text)).toEqual(words)
  })

  test.each([
    ['ps | grep x', 'operator', '|'],
    ['make && true', 'operator', '&&'],
    ['echo a > b', 'operator', '>'],
    ['echo a; b', 'operator', ';'],
    ['sleep 1 &', 'operator', '&'],
    ['(cd x)', 'operator', '('],
    ['echo $HOME', 'operator', '$'],
    ['echo "$HOME"', 'operator', '$'],
    ['echo "`id`"', 'operator', '`'],
    ['one\ntwo', 'operator', '\n'],
    ['echo a # b', 'operator', '#'],
    ['LANG=C sort', 'operator', 'LANG='],
    ['ls *.log', 'glob', '*'],
    ['ls ?', 'glob', '?'],
    ['curl http://[::1]/', 'glob', '['],
    ['ls ~/x', 'glob', '~'],
    [`echo 'a`, 'quote', "'"],
    ['echo "a', 'quote', '"'],
    ['echo a\\', 'quote', '\\'],
    ['echo {{ a', 'quote', '{{'],
    [`echo '{'"{a"`, 'quote', `'{'"{a"`],
    [`echo '{'{{a}}`, 'quote', `'{'{{a}}`],
    ['echo {{#if a}}b c{{/if}}', 'block', '{{#if a}}'],
    ['echo {{/if}}', 'block', '{{/if}}'],
    ['echo {{{{raw}}}}', 'block', '{{{{'],
  ])('%j is refused at the part only a shell could do', (text, kind, part) => {
    const problem = problemOf(text)
    expect(problem?.kind).toBe(kind)
    expect(text.slice(problem?.start, problem?.end)).toBe(part)
  })

  test('what needs a shell names the action that has one', () => {
    for (const text of ['a | b', 'a "$b"', 'a *', 'A=1 b', 'a {{#if b}}c d{{/if}}']) {
      expect(problemOf(text)?.hint).toContain('ssh.script')
    }
  })

  test('a word knows where it stands, with its quotes', () => {
    const text = `echo  'a b' {{ c }}`
    const split = splitCommand(text)
    const places = 'words' in split ? split.words.map(({ start, end }) => text.slice(start, end)) : []
    expect(places).toEqual(['echo', `'a b'`, '{{ c }}'])
  })
})

test('whatever is accepted, a real shell reads as the same words', () => {
  const part = fc.constantFrom(
    'a',
    'é',
    ' ',
    '\t',
    "'",
    '"',
    '\\',
    '\n',
    '$',
    '{',
    '}',
    '-',
    '=',
    '#',
    '~',
    '|',
    '*',
    '%',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 14 }), (parts) => {
      const text = `x ${parts.join('')}`
      const split = splitCommand(text)
      fc.pre('words' in split && !text.includes('{{'))
      const [, ...words] = wordsOf(text).map((word) => Handlebars.compile(word, { noEscape: true })({}))
      expect(shellWords(text)).toEqual(words)
    }),
    { numRuns: 300 },
  )
})

test('what is literal in a word is still literal after rendering', () => {
  const cases = [`\\\\{{x}}`, `'a\\'{{x}}`, `"\\\\\\\\"{{x}}`, `'\\{{x}}'`, `\\{{x}}{{x}}`, `"{"\\{{`]
  const rendered = cases.map((text) => Handlebars.compile(wordsOf(text)[0] ?? '', { noEscape: true })({ x: 'V' }))
  expect(rendered).toEqual(['\\V', 'a\\V', '\\\\V', '{{x}}', '{{x}}V', '{{{'])
})

function shellWords(text: string): string[] {
  // the words of `x …`, each ended by a NUL
  const script = `x() { [ $# -eq 0 ] || printf '%s\\0' "$@"; }\n${text}\n`
  return execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)
}
