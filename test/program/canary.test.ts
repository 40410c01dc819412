import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { book, type Workspace, workspace } from './program.ts'

/** Every kind of character that somebody quotes in some way. */
const canary = `C4n4ry' "$x\`/+ %\\ü&=?z9`

/** How it may stand where it was not hidden, whoever wrote it; and parts of it that a cut would leave. */
const shapes: readonly string[] = [
  canary,
  'C4n4ry',
  '%\\ü&=?z9',
  JSON.stringify(canary).slice(1, -1),
  encodeURIComponent(canary),
  Buffer.from(canary).toString('base64').replace(/=+$/, '').slice(0, -1),
  Buffer.from(canary).toString('hex'),
  canary.replaceAll("'", String.raw`'\''`),
]

function expectHidden(text: string, where: string): void {
  for (const shape of shapes) {
    const at = text.indexOf(shape)
    expect(at < 0 ? '' : text.slice(Math.max(0, at - 60), at + 60), `${where} shows ${shape}`).toBe('')
  }
}

/** Everything a run left in files. */
function filesOf(folder: string): string {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .map((path) => (statSync(path).isDirectory() ? filesOf(path) : readFileSync(path, 'utf8')))
    .join('\n')
}

async function expectHiddenEverywhere(space: Workspace): Promise<void> {
  expectHidden(filesOf(space.runs), 'what is kept of the run')
  for (const format of ['text', 'markdown', 'html', 'json']) {
    const shown = await space.run(['show', 'last', '--format', format])
    expect(shown.stdout.length).toBeGreaterThan(100)
    expectHidden(shown.all, `show --format ${format}`)
  }
  expectHidden((await space.run(['verify', 'last'])).all, 'verify')
  expectHidden((await space.run(['runs'])).all, 'runs')
}

const secretInput = `inputs:
  password: { type: string, description: The password, secret: true }
`

/** A secret used in every place that a runbook has for a value, and given back in every form. */
const leaky = book(
  'leaky',
  `${secretInput}steps:
  - id: computed
    let: { plain: inputs.password, text: "'with ' + inputs.password" }
  - id: env
    name: Use {{ steps.computed.plain }} in a name
    action: local.script
    effect: read
    with:
      script: |
        printf '%s\\n' "$P"
        printf '%s' "$P" | base64 -w0; echo
        printf '%s' "$P" | od -An -tx1 | tr -d ' \\n'; echo
        printf 'x%s' "$P" | base64 -w0; echo
        printf '%s\\n' "$P" >&2
        printf '%s' "$P" | head -c 5; sleep 0.1; printf '%s' "$P" | tail -c +6; echo
        node -e 'const p = process.env.P; console.log(encodeURIComponent(p)); console.log(JSON.stringify({ p })); console.log(JSON.stringify(JSON.stringify({ p }))); console.log(new URLSearchParams({ p }).toString())'
        printf '%s' "$P" > secret.txt
      env: { P: "{{ inputs.password }}" }
  - id: stdin
    action: local.script
    effect: read
    with: { script: 'cat; cat >&2 < secret.txt', stdin: "{{ inputs.password }}" }
  - id: args
    action: local.run
    effect: read
    with: { command: "echo {{ inputs.password }}" }
  - id: fails
    action: local.script
    with: { script: 'cat secret.txt >&2; exit 3' }
    on_failure: continue
  - id: judged
    action: assert.that
    with:
      conditions: [ { that: "inputs.password == 'other'", message: "the password is {{ steps.computed.plain }}" } ]
    on_failure: continue
  - id: checked
    action: local.script
    effect: read
    with: { script: cat secret.txt }
    verify:
      - that: "result.stdout == 'nothing' && inputs.password == 'b'"
        message: "{{ result.stdout }} is not nothing"
    on_failure: continue
  - id: key
    for_each: "[inputs.password]"
    as: each
    key: each
    action: local.run
    effect: read
    with: { command: "echo {{ each }}" }
outputs:
  password: inputs.password
  text: steps.computed.text
`,
)

for (const form of ['plain', 'json']) {
  test(`a secret is nowhere: not in what is kept, not in what is shown (--output ${form}), in whatever form it comes back`, async () => {
    const space = workspace()
    space.write('leaky.yaml', leaky)
    const reports = ['r.md', 'r.html', 'r.json', 'r.txt']
    const args = ['exec', 'leaky.yaml', '--output', form, '--verbose', ...reports.flatMap((file) => ['--report', file])]
    const ended = await space.run(args, { RUNBOOK_INPUT_PASSWORD: canary, RUNBOOK_DEBUG: '1', DEBUG: '*' })
    expect(ended.code, ended.all).toBe(0)
    // it was really there
    expect(readFileSync(join(space.folder, 'secret.txt'), 'utf8')).toBe(canary)
    expect(ended.all).toContain('«password»')
    expectHidden(ended.stdout, 'stdout')
    expectHidden(ended.stderr, 'stderr')
    for (const file of reports) expectHidden(readFileSync(join(space.folder, file), 'utf8'), file)
    await expectHiddenEverywhere(space)
  })
}

test('a secret is not on the live screen either', async () => {
  const space = workspace()
  space.write('leaky.yaml', leaky)
  const { code, all } = await space.shell(
    'script -qec "runbook exec leaky.yaml --output live --verbose" /dev/null < /dev/null',
    { RUNBOOK_INPUT_PASSWORD: canary, TERM: 'xterm-256color' },
  ).ended
  expect(code, all).toBe(0)
  expect(all).toContain('«password»')
  expectHidden(all, 'the live screen')
})

test('a secret that comes in pieces is not shown in pieces, and what follows a piece that was none is shown', async () => {
  const space = workspace()
  const pieces = [...'C4n4ryZ9'].map((char) => `printf ${char}; sleep 0.05`).join('; ')
  space.write(
    'pieces.yaml',
    book(
      'pieces',
      `${secretInput}steps:\n  - id: slow\n    action: local.script\n    with: { script: 'printf C4n4; sleep 0.05; printf "other "; ${pieces}; printf " tail C4n"' }\n`,
    ),
  )
  const { code, stdout } = await space.run(['exec', 'pieces.yaml', '--output', 'json'], {
    RUNBOOK_INPUT_PASSWORD: 'C4n4ryZ9',
  })
  expect(code, stdout).toBe(0)
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; text?: string })
  const output = events.filter(({ type }) => type === 'step.output').map(({ text }) => text)
  expect(output.length).toBeGreaterThan(1)
  expect(output.join('')).toBe('C4n4other «password» tail C4n')
})

test('a secret of several lines is hidden line by line', async () => {
  const space = workspace()
  const lines = [
    '-----BEGIN PRIVATE KEY-----',
    'MIIEvQIBADANBgkqhkiG9w0B',
    'AQEFAASCBKcwggSjAgEAAoIB',
    '-----END PRIVATE KEY-----',
  ]
  space.write('key.pem', `${lines.join('\n')}\n`)
  space.write(
    'lines.yaml',
    book(
      'lines',
      `${secretInput}steps:\n  - id: one\n    action: local.script\n    with: { script: "sed 's/^/> /' key.pem" }\n`,
    ),
  )
  const { code, all } = await space.run(['exec', 'lines.yaml', '--input-file', 'password=key.pem', '--verbose'])
  expect(code, all).toBe(0)
  expect(all).not.toContain('MIIEvQ')
  expect(filesOf(space.runs)).not.toContain('AQEFAASC')
})

const plugin = `
const text = (description) => ({ type: 'string', description })
const params = { type: 'object', properties: { url: text('Where.'), password: text('What.') }, required: ['url', 'password'], additionalProperties: false }
const result = { type: 'object', properties: { body: text('What came.') }, required: ['body'], additionalProperties: false }
export const actions = [{
  name: 'probe.login', summary: 'log in', effect: 'change', params, result, examples: [{ url: 'http://localhost', password: 'x' }],
  async run(ctx, { url, password }, signal) {
    const response = await ctx.http({ method: 'POST', url: url + '?password=' + encodeURIComponent(password), headers: { authorization: 'Basic ' + Buffer.from('me:' + password).toString('base64') }, body: JSON.stringify({ password }) }, signal)
    const body = typeof response.body === 'string' ? response.body : new TextDecoder().decode(response.body)
    if (response.status !== 200) throw new Error('it answered ' + body)
    return { body }
  },
}]
`

test('a secret in an HTTP call is hidden: in the address, in the answer, in the error', async () => {
  for (const status of [200, 500]) {
    const seen: string[] = []
    const server = createServer((request, response) => {
      seen.push(decodeURIComponent(String(request.url)))
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(JSON.stringify({ you: request.url, password: canary }))
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((done) => server.once('listening', done))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/login`
    const space = workspace()
    space.write('plugin.mjs', plugin)
    space.write('runbook.config.yaml', 'apiVersion: runbook/v1\nruns: ./runs\nplugins: [./plugin.mjs]\n')
    space.write(
      'login.yaml',
      book(
        'login',
        `${secretInput}steps:\n  - id: login\n    action: probe.login\n    with: { url: "${url}", password: "{{ inputs.password }}" }\n`,
      ),
    )
    const { code, all } = await space.run(['exec', 'login.yaml', '--verbose'], { RUNBOOK_INPUT_PASSWORD: canary })
    // a plugin that breaks in a change leaves it in doubt
    expect(code, all).toBe(status === 200 ? 0 : 5)
    expect(seen).toEqual([`/login?password=${canary}`])
    expect(
      space
        .entries()
        .some((entry) => entry.type === 'step.called' && entry.call.kind === 'http' && entry.call.status === status),
    ).toBe(true)
    expectHidden(all, 'the output')
    await expectHiddenEverywhere(space)
  }
})

test('what is wrong with a secret input is told without showing it', async () => {
  const space = workspace()
  space.write(
    'short.yaml',
    book(
      'short',
      `inputs:\n  password: { type: string, description: The password, secret: true, minLength: 50 }\nsteps:\n  - id: one\n    action: local.run\n    with: { command: 'true' }\n`,
    ),
  )
  space.write('in.yaml', `password: ${JSON.stringify(canary)}\n`)
  for (const args of [
    ['--input', `password=${canary}`],
    ['--inputs', 'in.yaml'],
  ]) {
    const { code, all } = await space.run(['exec', 'short.yaml', ...args])
    expect(code, all).toBe(2)
    expect(all).toContain('password')
    expectHidden(all, args[0] ?? '')
  }
  const short = await space.run(['exec', 'short.yaml', '--input', 'password=abc'])
  expect(short.code).toBe(2)
})

const again = book(
  'again',
  `${secretInput}steps:
  - id: gives
    action: local.script
    with: { script: 'echo "mark gives" >> "$LOG"; printf "%s" "$P"', env: { P: "{{ inputs.password }}" } }
  - id: reads
    action: local.script
    effect: read
    with: { script: 'printf "%s" "$P"', env: { P: "{{ inputs.password }}" } }
  - id: sure
    action: human.confirm
    with: { message: Go on? }
  - id: from_read
    action: local.script
    with: { script: 'printf "read %s\\n" "$P" >> "$LOG"', env: { P: "{{ steps.reads.result.stdout }}" } }
  - id: from_change
    action: local.script
    with: { script: 'printf "change %s\\n" "$P" >> "$LOG"', env: { P: "{{ steps.gives.result.stdout }}" } }
`,
)

test('a resumed run needs its secret again, reads again what held it, and never uses the mask for the secret', async () => {
  const space = workspace()
  space.write('again.yaml', again)
  expect((await space.run(['exec', 'again.yaml'], { RUNBOOK_INPUT_PASSWORD: canary })).code).toBe(6)
  const without = await space.run(['resume', 'last', '--answer', 'sure=yes'])
  expect(without.code, without.all).toBe(2)
  expect(without.stderr).toContain('the input `password` is missing')
  expect(without.stderr).toContain('RUNBOOK_INPUT_PASSWORD')
  expect(space.effects()).toEqual(['mark gives'])
  const { code, all } = await space.run(['resume', 'last', '--answer', 'sure=yes'], { RUNBOOK_INPUT_PASSWORD: canary })
  expect(code, all).toBe(1)
  expect(all).toContain('masked_value')
  expect(all).toContain('from_change')
  // the read gave the secret itself; the change was not made with a mask in its place
  expect(space.effects()).toEqual(['mark gives', `read ${canary}`])
  await expectHiddenEverywhere(space)
})

test('an execution that a secret names is found again: its change is not made twice', async () => {
  const space = workspace()
  space.write(
    'named.yaml',
    book(
      'named',
      `${secretInput}steps:
  - id: each
    for_each: "[inputs.password, 'b']"
    as: each
    key: each
    action: local.script
    with: { script: 'echo "mark each" >> "$LOG"' }
  - id: sure
    action: human.confirm
    with: { message: Go on? }
`,
    ),
  )
  expect((await space.run(['exec', 'named.yaml'], { RUNBOOK_INPUT_PASSWORD: canary })).code).toBe(6)
  const { code, all } = await space.run(['resume', 'last', '--answer', 'sure=yes'], { RUNBOOK_INPUT_PASSWORD: canary })
  expect(code, all).toBe(0)
  expect(space.effects()).toEqual(['mark each', 'mark each'])
  await expectHiddenEverywhere(space)
})

test('of a file of inputs that cannot be taken apart nothing is shown but the names of inputs, and where it breaks', async () => {
  const space = workspace()
  space.write('secret.yaml', book('secret', `${secretInput}steps:\n  - id: one\n    let: { a: "1" }\n`))
  for (const [text, line] of [
    ['password: "P4ssw0rd\n', 'password: ******'],
    ['password: P4ssw0rd\npassword: x\n', 'password: *'],
    ['P4ssw0rd: 1\n  x: 2\n', '** *'],
    ['password: !P4ssw0rd y\n', 'password: ****'],
    ['password: *P4ssw0rd\n', 'password: ****'],
    ['password: P4ssw0rd: z\n', 'password: ****'],
  ] as const) {
    const inputs = space.write('inputs.yaml', text)
    const { code, all } = await space.run(['exec', 'secret.yaml', '--inputs', inputs])
    expect(code, all).toBe(2)
    expect(all, text).not.toContain('P4ssw0rd')
    expect(all, text).toMatch(/inputs\.yaml:\d+:\d+/)
    expect(all, text).toContain(line)
  }
})

test.each([
  { file: 'clouds.yaml', text: 'clouds:\n  a: { auth: { username: me, password: C4n4ryZ9, project_name: p }\n' },
  { file: 'clouds.yaml', text: 'clouds:\n  a:\n    auth:\n      password: "C4n4ryZ9\n      username: me\n' },
  { file: 'secure.yaml', text: 'clouds:\n  a:\n    auth:\n     password: C4n4ryZ9\n      user: x\n' },
])('of $file, where it cannot be taken apart, no password is shown, only the place: $text', async ({ file, text }) => {
  const space = workspace()
  space.write(
    'clouds.yaml',
    'clouds:\n  a: { auth: { auth_url: "http://127.0.0.1:1", username: me, project_name: p } }\n',
  )
  space.write(file, text)
  space.write('who.yaml', book('who', 'steps:\n  - id: one\n    action: openstack.token.issue\n'))
  const { code, all } = await space.run(['exec', 'who.yaml'], { OS_CLOUD: 'a' })
  expect(code, all).toBe(2)
  expect(all).toMatch(new RegExp(`${file}:\\d+:\\d+`))
  expect(all).toContain('it may be a secret')
  expect(all).not.toContain('C4n4ry')
})
