import type { Json } from '../json.ts'
import { itemKey } from '../run/key.ts'

/**
 * Masks secret values wherever they stand: the value itself and its base64, URL-encoded, JSON- and shell-quoted forms.
 * By value, not by place: a secret that comes back in an error, a log line or an answer is masked there too.
 */
export class Redactor {
  readonly #forms = new Map<string, string>()
  #pattern: RegExp | undefined

  /** Values of fewer than four characters would mask half of everything, and are refused where inputs are read. */
  add(name: string, value: string): void {
    if (value.length < 4) return
    // what ends in a line break, as files do, is the same secret without it
    for (const form of new Set([value, value.trim()].flatMap((each) => [...formsOf(each)])))
      if (!this.#forms.has(form)) this.#forms.set(form, `«${name}»`)
    const longestFirst = [...this.#forms.keys()].toSorted((a, b) => b.length - a.length)
    this.#pattern = new RegExp(
      longestFirst.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'),
      'g',
    )
  }

  text(text: string): string {
    return this.#pattern ? text.replaceAll(this.#pattern, (form) => this.#forms.get(form) ?? '«secret»') : text
  }

  /** The name of the first secret whose mask stands in a value, which is not what it was then. */
  maskIn(value: Json): string | undefined {
    const text = JSON.stringify(value) ?? ''
    return [...new Set(this.#forms.values())].find((mask) => text.includes(mask))?.slice(1, -1)
  }

  /**
   * How many characters at the end of a text may yet become part of a secret, whatever comes after them: a stream holds
   * back so many, so that no secret that comes in two pieces is shown in two pieces.
   */
  open(text: string): number {
    let held = 0
    for (const form of this.#forms.keys()) {
      for (let length = Math.min(form.length - 1, text.length); length > held; length--) {
        if (text.endsWith(form.slice(0, length))) held = length
      }
    }
    if (held === 0) return 0
    // a secret that reaches into the part that is held back is not cut
    const from = text.length - held
    for (const { index, 0: found } of this.#pattern ? text.matchAll(this.#pattern) : []) {
      if (index < from && index + found.length > from) return text.length - index
    }
    return held
  }

  /** The same value when nothing in it was masked. */
  json<T>(value: T): T {
    return this.#pattern ? (this.#deep(value as Json) as T) : value
  }

  #deep(value: Json): Json {
    if (typeof value === 'string') return this.text(value)
    if (typeof value === 'number') {
      const text = String(value)
      const masked = this.text(text)
      return masked === text ? value : masked
    }
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) {
      const items = value.map((item) => this.#deep(item as Json))
      return items.some((item, index) => item !== value[index]) ? items : value
    }
    if (Object.getPrototypeOf(value) !== Object.prototype && Object.getPrototypeOf(value) !== null) return value
    let changed = false
    const entries = Object.entries(value).map(([key, part]) => {
      const pair = [this.text(key), this.#deep(part)] as const
      changed ||= pair[0] !== key || pair[1] !== part
      return pair
    })
    return changed ? Object.fromEntries(entries) : value
  }
}

function formsOf(value: string): Set<string> {
  const json = JSON.stringify(value).slice(1, -1)
  const ascii = json.replaceAll(/[^\u0000-\u007f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const forms = [
    value,
    json,
    ascii,
    JSON.stringify(json).slice(1, -1),
    JSON.stringify(ascii).slice(1, -1),
    ...urlForms(value),
    ...markupForms(value),
    ...shellForms(value),
    ...base64Forms(value),
    // as the name of an item in the key of an execution
    itemKey('', value).slice(1, -1),
    Buffer.from(value).toString('hex'),
    Buffer.from(value).toString('hex').toUpperCase(),
  ]
  // each line of a secret of several lines is one too: a private key in a log comes line by line
  const lines = value.split(/\r?\n/).map((line) => line.trim())
  return new Set([...forms, ...lines.filter((line) => line.length >= 8)].filter((form) => form.length >= 4))
}

/** Percent signs as browsers, forms and Python write them: they differ in what they leave alone, and in the case of the digits. */
function urlForms(value: string): string[] {
  const url = encodeURIComponent(value)
  const percent = (char: string) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`
  const strict = url.replaceAll(/[!'()*]/g, percent)
  const form = new URLSearchParams({ '': value }).toString().slice(1)
  const forms = [url, strict, strict.replaceAll('%2F', '/'), form]
  return forms
    .flatMap((each) => [each, each.replaceAll('%20', '+')])
    .flatMap((each) => [each, each.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())])
}

function markupForms(value: string): string[] {
  const base = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const quoted = base.replaceAll('"', '&quot;')
  return [base, quoted, ...['&#39;', '&#x27;', '&apos;'].map((quote) => quoted.replaceAll("'", quote))]
}

/** In single quotes, in double quotes, and with backslashes as `printf %q` does it. */
function shellForms(value: string): string[] {
  return [
    value.replaceAll("'", String.raw`'\''`),
    value.replaceAll("'", `'"'"'`),
    value.replaceAll(/(["\\$`])/g, '\\$1'),
    value.replaceAll(/[^A-Za-z0-9_\-./:@]/g, '\\$&'),
    value.replaceAll(/[^A-Za-z0-9_\-./:@%+=\u0080-\uffff]/g, '\\$&'),
  ]
}

/** Base64 of the value at each of the three places it can stand inside a longer text, and in the URL alphabet. */
function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value)
  const forms = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    // characters that share bits with what stands around the value are left out
    const from = shift === 0 ? 0 : shift + 1
    const whole = Math.floor(((bytes.length + shift) * 8) / 6)
    return text.slice(from, whole)
  })
  const whole = bytes.toString('base64')
  // `base64` breaks its lines after 76 characters, PEM after 64
  const lines =
    whole.length > 64 ? [76, 64].flatMap((width) => whole.match(new RegExp(`.{16,${width}}`, 'g')) ?? []) : []
  return [...forms, whole, bytes.toString('base64url'), ...lines]
    .flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')])
    .filter((form) => form.length >= 6)
}
