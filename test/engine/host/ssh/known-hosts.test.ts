import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fingerprintOf, hostKeyAlgorithms, judgeKey, readKnownHosts } from '../../../../engine/host/ssh/known-hosts.ts'
import { fingerprint, type KeyPair, newKey } from '../../../support/ssh-server.ts'
import { folder } from './harness.ts'

const key = newKey()
const other = newKey()
const ecdsa = newKey('ecdsa')
const blob = (pair: KeyPair) => Buffer.from(pair.public.split(' ')[1] ?? '', 'base64')
const judge = (text: string, host: string, port = 22, presented = key) =>
  judgeKey(readKnownHosts(text, 'kh'), { host, port }, blob(presented)).is

const hashed = (text: string): string => {
  using files = folder()
  const path = files.write('kh', text)
  execFileSync('ssh-keygen', ['-H', '-f', path], { stdio: 'ignore' })
  return readFileSync(path, 'utf8')
}

describe('a key of a host', () => {
  test.each([
    ['stands under its name', `c1 ${key.public}`, 'c1', 22, 'known'],
    ['stands under one of several names', `c1,10.0.0.1 ${key.public}`, '10.0.0.1', 22, 'known'],
    ['is not of another host', `c1 ${key.public}`, 'c10', 22, 'unknown'],
    ['stands under a name in capitals', `C1 ${key.public}`, 'c1', 22, 'known'],
    ['stands under a pattern', `*.lab ${key.public}`, 'c1.lab', 22, 'known'],
    ['stands under a pattern with one character', `c? ${key.public}`, 'c1', 22, 'known'],
    ['a dot is a dot', `a.b ${key.public}`, 'axb', 22, 'unknown'],
    ['is taken out by a negated pattern', `*.lab,!c1.lab ${key.public}`, 'c1.lab', 22, 'unknown'],
    ['a negated pattern alone names nobody', `!c2 ${key.public}`, 'c1', 22, 'unknown'],
    ['stands under a port', `[c1]:2222 ${key.public}`, 'c1', 2222, 'known'],
    ['of another port is not of this one', `[c1]:2222 ${key.public}`, 'c1', 2223, 'unknown'],
    ['of a port is not of the usual one', `[c1]:2222 ${key.public}`, 'c1', 22, 'unknown'],
    ['without a port counts on any, as in OpenSSH', `c1 ${key.public}`, 'c1', 2222, 'known'],
    ['another one without a port is no change on a port', `c1 ${other.public}`, 'c1', 2222, 'unknown'],
    ['is one of several', `c1 ${other.public}\nc1 ${key.public}`, 'c1', 22, 'known'],
    ['has changed', `c1 ${other.public}`, 'c1', 22, 'changed'],
    ['of a type of which none is known has not changed', `c1 ${ecdsa.public}`, 'c1', 22, 'unknown'],
    ['is revoked', `c1 ${key.public}\n@revoked c1 ${key.public}`, 'c1', 22, 'revoked'],
    ['revoked for another host is not revoked here', `c1 ${key.public}\n@revoked c2 ${key.public}`, 'c1', 22, 'known'],
    [
      'is revoked for all hosts, a port notwithstanding',
      `[c1]:2222 ${key.public}\n@revoked * ${key.public}`,
      'c1',
      2222,
      'revoked',
    ],
    ['of an authority is not the key of a host', `@cert-authority c1 ${key.public}`, 'c1', 22, 'unknown'],
    ['in a comment counts for nothing', `# c1 ${key.public}`, 'c1', 22, 'unknown'],
    ['that is broken counts for nothing', `c1 ssh-ed25519 AAAA\n\nx`, 'c1', 22, 'unknown'],
    ['under an unknown marker counts for nothing', `@other c1 ${key.public}`, 'c1', 22, 'unknown'],
  ])('%s', (_, text, host, port, verdict) => {
    expect(judge(text, host, port)).toBe(verdict)
  })

  test.each([
    [`c1 ${key.public}\n`, 'c1', 22],
    [`[c1.lab]:2222 ${key.public}\n`, 'c1.lab', 2222],
  ])('stands under a name that ssh-keygen has hashed: %s', (text, host, port) => {
    expect(hashed(text)).not.toContain('c1')
    expect(judge(hashed(text), host, port)).toBe('known')
    expect(judge(hashed(text), host, port, other)).toBe('changed')
    expect(judge(hashed(text), 'c2', port)).toBe('unknown')
  })

  test('that has changed names the place of the old one', () => {
    const known = [...readKnownHosts('', 'first'), ...readKnownHosts(`# mine\nc1 ${other.public}`, 'second')]
    expect(judgeKey(known, { host: 'c1', port: 22 }, blob(key))).toMatchObject({
      is: 'changed',
      from: { path: 'second', line: 2 },
    })
  })

  test('that only an authority vouches for says so', () => {
    const known = readKnownHosts(`@cert-authority *.lab ${other.public}`, 'kh')
    expect(judgeKey(known, { host: 'c1.lab', port: 22 }, blob(key))).toMatchObject({
      is: 'unknown',
      authority: { line: 1 },
    })
  })

  test('has the fingerprint that ssh-keygen prints', () => {
    using files = folder()
    const printed = execFileSync('ssh-keygen', ['-lf', files.write('key.pub', key.public)], { encoding: 'utf8' })
    expect(printed).toContain(fingerprintOf(blob(key)))
    expect(fingerprintOf(blob(key))).toBe(fingerprint(key))
  })
})

test('algorithms of known keys are offered first, those of RSA in all its forms', () => {
  const supported = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa']
  const rsa = newKey('rsa')
  const known = readKnownHosts(`[c1]:2222 ${rsa.public}\nc1 ${ecdsa.public}\nc2 ${key.public}\n`, 'kh')
  expect(hostKeyAlgorithms(known, { host: 'c1', port: 2222 }, supported)).toEqual([
    'ecdsa-sha2-nistp256',
    'rsa-sha2-512',
    'rsa-sha2-256',
    'ssh-rsa',
    'ssh-ed25519',
  ])
  expect(hostKeyAlgorithms([], { host: 'c1', port: 22 }, supported)).toEqual(supported)
})
