import { unescapeC } from './words.ts'

/** `printf FORMAT ARGS`: the format is used again while arguments are left. */
export function formatted(format: string, args: readonly string[]): string {
  const queue = [...args]
  let text = ''
  do {
    const before = queue.length
    text += once(format, queue)
    if (queue.length === before) break
  } while (queue.length > 0)
  return text
}

function once(format: string, queue: string[]): string {
  return format.replace(
    /\\(?:x[0-9a-fA-F]{1,2}|[0-7]{1,3}|[\s\S])|%([-+ 0#]*)(\d+|\*)?(?:\.(\d+|\*))?([a-zA-Z%])/g,
    (whole, flags: string, width: string | undefined, precision: string | undefined, kind: string) => {
      if (whole.startsWith('\\')) return unescapeC(whole)
      if (kind === '%') return '%'
      const wide = width === '*' ? queue.shift() : width
      const exact = precision === '*' ? queue.shift() : precision
      return pad(convert(kind, queue.shift() ?? '', exact, flags), Number(wide ?? 0), flags)
    },
  )
}

function convert(kind: string, value: string, precision: string | undefined, flags: string): string {
  const number = value.startsWith("'") || value.startsWith('"') ? value.charCodeAt(1) : Number(value || 0) || 0
  const signed = (text: string) => (flags.includes('+') && number >= 0 ? `+${text}` : text)
  switch (kind) {
    case 's':
      return precision === undefined ? value : value.slice(0, Number(precision))
    case 'b':
      return unescapeC(value)
    case 'q':
      return value === '' ? "''" : value.replace(/[^\w@%+=:,./-]/g, '\\$&')
    case 'c':
      return value.slice(0, 1)
    case 'd':
    case 'i':
    case 'u':
      return signed(String(Math.trunc(number)))
    case 'x':
      return Math.trunc(number).toString(16)
    case 'X':
      return Math.trunc(number).toString(16).toUpperCase()
    case 'o':
      return Math.trunc(number).toString(8)
    case 'f':
      return signed(number.toFixed(Number(precision ?? 6)))
    case 'e':
      return signed(number.toExponential(Number(precision ?? 6)))
    case 'g':
      return String(Number(number.toPrecision(Number(precision ?? 6))))
    default:
      return value
  }
}

function pad(text: string, width: number, flags: string): string {
  if (flags.includes('-')) return text.padEnd(width)
  if (!flags.includes('0') || !/^[-+]?\d/.test(text)) return text.padStart(width)
  const sign = /^[-+]/.exec(text)?.[0] ?? ''
  return sign + text.slice(sign.length).padStart(width - sign.length, '0')
}
