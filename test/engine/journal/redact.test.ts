import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Redactor } from '../../../engine/journal/redact.ts'

const secret = `pa$$ "w'rd" \\ /ü+x`

function redactorFor(value: string): Redactor {
  const redactor = new Redactor()
  redactor.add('password', value)
  return redactor
}

test.each([
  ['as it is', secret],
  ['in base64', Buffer.from(secret).toString('base64')],
  ['in base64 for URLs', Buffer.from(secret).toString('base64url')],
  ['in a URL', encodeURIComponent(secret)],
  ['in JSON', JSON.stringify(secret).slice(1, -1)],
  ['in JSON inside JSON', JSON.stringify(JSON.stringify(secret)).slice(3, -3)],
  ['quoted for a shell', secret.replaceAll("'", String.raw`'\''`)],
  ['in hexadecimal', Buffer.from(secret).toString('hex')],
])('a secret is masked %s', (_how, text) => {
  expect(redactorFor(secret).text(`before ${text} after`)).toBe('before «password» after')
})

test('a secret inside a longer base64 text is masked wherever it begins in it', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 9 }), fc.string({ maxLength: 9 }), (before, after) => {
      const encoded = Buffer.from(`${before}${secret}${after}`).toString('base64')
      const masked = redactorFor(secret).text(encoded)
      expect(masked).toContain('«password»')
      // what is left of it gives back no run of the secret
      const left = masked.replaceAll('«password»', '').slice(-6)
      expect(Buffer.from(left, 'base64').toString()).not.toContain(secret.slice(4, -4))
    }),
  )
})

test('names and values of deep JSON are masked, and nothing else is touched', () => {
  const value = { a: [1, `x${secret}y`, { [secret]: true }], b: null }
  expect(redactorFor(secret).json(value)).toEqual({ a: [1, 'x«password»y', { '«password»': true }], b: null })
  const clean = { a: [1, 'two'] }
  expect(redactorFor(secret).json(clean)).toBe(clean)
})

test('a secret number is masked where it stands as a number', () => {
  expect(redactorFor('123456').json({ pin: 123456, other: 12 })).toEqual({ pin: '«password»', other: 12 })
})

test('each line of a secret of several lines is masked alone', () => {
  const key = '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nAQEFAASCBKcwggSjAgEAAoIB\n-----END KEY-----'
  expect(redactorFor(key).text('debug: MIIEvQIBADANBgkqhkiG9w0')).toBe('debug: «password»')
})

test.each([
  ['of which one is long', 'me\nsesame-open-sesame-open', 'sesame-open-sesame-open'],
  ['that are as short as passwords', 'sesame-1\nsesame-2', 'sesame-2'],
  ['that Windows wrote', 'sesame-open-sesame-open\r\nopen-sesame-open-sesame\r\n', 'open-sesame-open-sesame'],
  ['that are indented', '  sesame-open\n  open-sesame', 'open-sesame'],
])('each line of a secret of lines %s', (_what, given, line) => {
  expect(redactorFor(given).text(`+ /etc/api.pem:2: ${line}`)).toBe('+ /etc/api.pem:2: «password»')
})

test('a secret that ends in a line break is masked without it, in each of its forms', () => {
  const shown = `se same ${Buffer.from('se same').toString('base64')} ${encodeURIComponent('se same')}`
  expect(redactorFor('se same\n').text(shown)).toBe('«password» «password» «password»')
})

test('the longer of two secrets is masked whole', () => {
  const redactor = new Redactor()
  redactor.add('short', 'open')
  redactor.add('long', 'open sesame')
  expect(redactor.text('open sesame, open')).toBe('«long», «short»')
})
