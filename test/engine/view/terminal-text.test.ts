import { describe, expect, test } from 'vitest'
import { cut, padded, safe, safeLine, widthOf } from '../../../engine/view/terminal-text.ts'
import { nasty } from '../../support/sample-runs.ts'

describe('text from outside cannot steer the terminal', () => {
  test.each([
    ['a colour', '\u001b[31mred\u001b[0m', 'red'],
    ['a cursor move', 'a\u001b[2Jb\u001b[1;1Hc', 'abc'],
    ['an 8-bit CSI', 'a\u009b31mb', 'ab'],
    ['a window title', '\u001b]0;owned\u0007x', 'x'],
    ['a hyperlink', '\u001b]8;;http://evil.example\u001b\\click\u001b]8;;\u001b\\', 'click'],
    ['the clipboard', '\u001b]52;c;ZXZpbA==\u0007x', 'x'],
    ['an 8-bit OSC', '\u009d0;owned\u009cx', 'x'],
    ['a DCS', '\u001bP$q"p\u001b\\x', 'x'],
    ['an APC', '\u001b_payload\u001b\\x', 'x'],
    ['a reset', '\u001bcx', 'x'],
    ['a character set', '\u001b(0x', 'x'],
    ['a sequence with no end', '\u001b]0;all of this stays', '0;all of this stays'],
    ['a backspace', 'root\b\b\b\buser', 'root␈␈␈␈user'],
    ['a bell', 'x\u0007', 'x␇'],
    ['a text that runs backwards', 'gpj.\u202Etxt', 'gpj.\ufffdtxt'],
    ['a carriage return that hides a line', 'rm -rf /\rls', 'rm -rf /\nls'],
    ['invisible tags', 'a\u{e0041}b', 'a\ufffdb'],
  ])('%s', (_, text, expected) => {
    expect(safe(text)).toBe(expected)
    expect(safe(text)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
  })

  test('text that hides in an unfinished sequence can still be read', () => {
    expect(safe('\u001b]0;and then rm -rf /')).toContain('and then rm -rf /')
  })

  test('a sequence put together by taking another one out does not survive', () => {
    expect(safe('\u001b\u001b[31m[2J')).not.toContain('\u001b')
    expect(safe('\u001b\u001b]0;x\u0007]0;y\u0007')).not.toContain('\u001b')
  })

  test('a long hostile text takes no long time', () => {
    for (const piece of ['\u009d', '\u001b]', '\u001b[0', '\u001bP', '\u001b'])
      expect(safe(piece.repeat(200_000))).not.toContain('\u001b')
  })

  test('one line stays one line', () => {
    expect(safeLine(nasty)).not.toContain('\n')
    expect(safeLine('a\n\nb\n')).toBe('a ⏎ b')
  })
})

describe('width', () => {
  test.each([
    ['abc', 3],
    ['重启计算节点', 12],
    ['e\u0301', 1],
    ['✓ ok', 4],
    ['🙂', 2],
  ])('%s takes %i columns', (text, width) => expect(widthOf(text)).toBe(width))

  test('a text is cut between characters, never wider than asked', () => {
    expect(cut('重启计算节点', 7)).toBe('重启计…')
    expect(cut('重启计算节点', 6)).toBe('重启…')
    expect(cut('abc', 3)).toBe('abc')
    expect(cut('abcd', 3)).toBe('ab…')
    expect(cut('abc', 0)).toBe('')
  })

  test('columns line up whatever the script', () => {
    expect(padded('重启', 6)).toBe('重启  ')
  })
})
