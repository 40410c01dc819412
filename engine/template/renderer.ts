import type { Json } from '../json.ts'
import { printed } from './helper-set.ts'

/**
 * What a value becomes where it is printed: `text` itself · `word` words for sh, quoted, a list as several ·
 * `json` JSON · `url` a part of a URL. The fixed text round it stays as it is.
 */
export type Renderer = 'text' | 'word' | 'json' | 'url'

/** A value as a renderer prints it. Throws `Unusable`. */
export function printAs(renderer: Renderer, value: Json): string {
  switch (renderer) {
    case 'text':
      return printed(value)
    case 'word':
      return Array.isArray(value)
        ? (value as readonly Json[]).map((item) => quoted(printed(item))).join(' ')
        : quoted(printed(value))
    case 'json':
      return JSON.stringify(value)
    case 'url':
      return encodeURIComponent(printed(value).replaceAll(/\p{Surrogate}/gu, '\ufffd'))
  }
}

function quoted(text: string): string {
  return /^[\w%+,./:=@-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
