import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { describe, expect, test, vi } from 'vitest'
import { type HostSettings, jumpOf, settingsOf } from '../../../../engine/host/ssh/settings.ts'
import { folder, never } from './harness.ts'

const openSsh = (() => {
  try {
    execFileSync('ssh', ['-V'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

const { username, homedir } = userInfo()

/** The settings of a host from a configuration, as OpenSSH and as we read it. */
async function both(
  config: string,
  name: string,
  said: HostSettings = {},
  more: { readonly [file: string]: string } = {},
) {
  using files = folder()
  mkdirSync(`${files.path}/conf.d`)
  for (const [file, text] of Object.entries(more)) files.write(file, text.replaceAll('DIR', files.path))
  const path = files.write('config', config.replaceAll('DIR', files.path))
  const surroundings = { home: homedir, user: username, env: { SSH_AUTH_SOCK: '/run/agent', OTHER: '/run/other' } }
  const read = async (ask: boolean) => {
    const settings = await settingsOf(name, { sshConfig: path, ...said }, { ...surroundings, openSsh: ask }, never)
    return JSON.parse(JSON.stringify(settings).replaceAll(files.path, 'DIR'))
  }
  return { ours: await read(false), theirs: openSsh ? await read(true) : undefined }
}

const cases: [string, string, string, object, HostSettings?, { [file: string]: string }?][] = [
  [
    'nothing',
    '',
    'c1',
    { hostname: 'c1', port: 22, user: username, jumps: [], identitiesOnly: false, agent: '/run/agent' },
  ],
  [
    'a block of the host',
    'Host c1\n  HostName 10.0.0.1\n  Port 2222\n  User ops\n',
    'c1',
    { hostname: '10.0.0.1', port: 2222, user: 'ops' },
  ],
  ['a block of another host', 'Host c10\n  Port 2222\n', 'c1', { port: 22 }],
  ['patterns, and one that is taken out', 'Host c* !c1\n  Port 1\nHost c?\n  Port 2\n', 'c1', { port: 2 }],
  ['the first value wins', 'Host c1\n Port 1\nHost *\n Port 2\n User u\n', 'c1', { port: 1, user: 'u' }],
  ['settings before any block', 'User first\nHost c1\n User second\n', 'c1', { user: 'first' }],
  [
    'equals signs, capitals and quotes',
    'HOST=c1\n  port = 7\n  IdentityFile "/a b/key"\n',
    'c1',
    { port: 7, identityFiles: ['/a b/key'] },
  ],
  [
    'several keys, of all blocks',
    'Host c1\n IdentityFile ~/.ssh/one\n IdentityFile /x/%h-%r\nHost *\n User u\n IdentityFile %d/three\n',
    'c1',
    { identityFiles: [`${homedir}/.ssh/one`, '/x/c1-u', `${homedir}/three`] },
  ],
  ['a name made of the name', 'Host c1\n HostName %h.lab.example\n', 'c1', { hostname: 'c1.lab.example' }],
  [
    'an agent of its own',
    'IdentityAgent /run/mine\nIdentitiesOnly yes\n',
    'c1',
    { agent: '/run/mine', identitiesOnly: true },
  ],
  ['an agent named by a variable', 'IdentityAgent $OTHER\n', 'c1', { agent: '/run/other' }],
  ['no agent', 'IdentityAgent none\n', 'c1', {}],
  ['jumps', 'Host c1\n ProxyJump a,b@c:33\n', 'c1', { jumps: ['a', 'b@c:33'] }],
  ['no jump for one of many', 'Host c1\n ProxyJump none\nHost *\n ProxyJump a\n', 'c1', { jumps: [] }],
  [
    'files of known hosts',
    'UserKnownHostsFile ~/k1 /k2\nGlobalKnownHostsFile /g\n',
    'c1',
    { knownHosts: [`${homedir}/k1`, '/k2', '/g'] },
  ],
  [
    'another name for the key',
    'HostKeyAlias other\nConnectTimeout 7\nAddressFamily inet\n',
    'c1',
    { hostKeyAlias: 'other', connectTimeout: 7000, family: 4 },
  ],
  [
    'a match of the host',
    'Host c1\n HostName c1.lab\nMatch host *.lab\n Port 3\nMatch originalhost c1\n User m\n',
    'c1',
    { port: 3, user: 'm' },
  ],
  ['a match of all', 'Match all\n Port 4\n', 'c1', { port: 4 }],
  ['a match of users', 'Match user ops,root2\n Port 5\nMatch !user ops\n Port 6\n', 'c1', { port: 5 }, { user: 'ops' }],
  ['a match that is negated', 'Match !host c2\n Port 8\n', 'c1', { port: 8 }],
  [
    'a match by a program',
    'Match exec "test %h = c1"\n Port 9\nMatch exec "false"\n User no\n',
    'c1',
    { port: 9, user: username },
  ],
  [
    'a match on second reading',
    'Match final host *.lab\n User late\nHost c1\n HostName c1.lab\n IdentityFile /k\n',
    'c1',
    { user: 'late', identityFiles: ['/k'] },
  ],
  [
    'a file that is included',
    'Include DIR/more\nHost *\n Port 1\n',
    'c1',
    { port: 11 },
    {},
    { more: 'Host c1\n Port 11\n' },
  ],
  [
    'files that are included, in their order',
    'Include DIR/conf.d/*.conf\n',
    'c1',
    { port: 1, user: 'b' },
    {},
    { 'conf.d/1.conf': 'Port 1\n', 'conf.d/2.conf': 'Port 2\nUser b\n', 'conf.d/3.txt': 'HostName no\n' },
  ],
  [
    'an include inside a block of the host',
    'Host c1\n Include DIR/more\n User after\n',
    'c1',
    { port: 11, user: 'after' },
    {},
    { more: 'Host c2\n Port 12\nHost *\n Port 11\n' },
  ],
  [
    'an include inside a block of another',
    'Host c2\n Include DIR/more\n',
    'c1',
    { port: 22 },
    {},
    { more: 'Port 11\n' },
  ],
  ['an include of nothing', 'Include DIR/none DIR/conf.d/*\nPort 3\n', 'c1', { port: 3 }],
  [
    'what the inventory says goes first',
    'Host c1\n HostName 10.0.0.1\n Port 1\n User a\n ProxyJump j\n IdentityFile /config\n',
    'c1',
    { hostname: '10.9.9.9', port: 2, user: 'b', jumps: [], identityFiles: ['/own', '/config'], knownHosts: ['/mine'] },
    { address: '10.9.9.9', port: 2, user: 'b', proxyJump: 'none', identityFiles: ['/own'], knownHosts: ['/mine'] },
  ],
]

describe('the settings of a host', () => {
  test.each(cases)('%s', async (_, config, name, expected, said, files) => {
    const { ours } = await both(config, name, said, files)
    expect(ours).toMatchObject(expected)
  })

  if (!openSsh) console.warn('not compared with OpenSSH: `ssh` is not installed')
  test.skipIf(!openSsh).each(cases)('%s, as OpenSSH reads it', async (_, config, name, _expected, said, files) => {
    const { ours, theirs } = await both(config, name, said, files)
    expect(ours).toEqual(theirs)
  })

  test('what only OpenSSH can decide is an error, not a guess', async () => {
    using files = folder()
    const sshConfig = files.write('config', 'Match localnetwork 10.0.0.0/8\n Port 1\n')
    const surroundings = { home: '/nowhere', user: 'ops', env: {}, openSsh: false }
    await expect(settingsOf('c1', { sshConfig }, surroundings, never)).rejects.toMatchObject({
      code: 'ssh_config',
      message: expect.stringContaining('Match localnetwork'),
    })
  })

  test('OpenSSH is asked about a configuration, and not where there is none', async () => {
    using files = folder()
    const ssh = files.write('ssh', '#!/bin/sh\necho asked >&2\nexit 1\n')
    chmodSync(ssh, 0o755)
    vi.stubEnv('PATH', files.path)
    try {
      const surroundings = { home: '/nowhere', user: 'ops', env: {} }
      const asked = settingsOf('c1', { sshConfig: files.write('config', '') }, surroundings, never)
      await expect(asked).rejects.toMatchObject({ code: 'ssh_config', message: expect.stringContaining('asked') })
      const none = await settingsOf('c1', { sshConfig: 'none', address: '10.0.0.1' }, surroundings, never)
      expect(none).toMatchObject({ hostname: '10.0.0.1', port: 22, user: 'ops', jumps: [] })
    } finally {
      vi.unstubAllEnvs()
    }
  })

  test('includes that go in a circle are an error', async () => {
    using files = folder()
    const sshConfig = files.write('config', `Include ${files.path}/config\n`)
    await expect(
      settingsOf('c1', { sshConfig }, { home: '/nowhere', user: 'ops', env: {}, openSsh: false }, never),
    ).rejects.toMatchObject({ code: 'ssh_config' })
  })

  test('a ProxyCommand is refused, not ignored', async () => {
    using files = folder()
    const sshConfig = files.write('config', 'ProxyCommand nc %h %p\n')
    for (const ask of [false, openSsh]) {
      await expect(
        settingsOf('c1', { sshConfig }, { home: '/nowhere', user: 'ops', env: {}, openSsh: ask }, never),
      ).rejects.toMatchObject({ code: 'proxy_command', status: 'unreachable' })
    }
  })
})

test.each([
  ['bastion', { name: 'bastion', settings: {} }],
  ['ops@bastion:2222', { name: 'bastion', settings: { user: 'ops', port: 2222 } }],
  ['ssh://ops@bastion:2222', { name: 'bastion', settings: { user: 'ops', port: 2222 } }],
  ['[2001:db8::1]:22', { name: '2001:db8::1', settings: { port: 22 } }],
  ['2001:db8::1', { name: '2001:db8::1', settings: {} }],
])('the jump %s', (text, jump) => {
  expect(jumpOf(text)).toEqual(jump)
})
