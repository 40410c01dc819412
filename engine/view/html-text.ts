import { safe } from './terminal-text.ts'

/** Markup that is known to be well made; everything else is a text and gets escaped. */
export interface Html {
  readonly html: string
}

type Part = Html | string | number | undefined | readonly Part[]

/** Builds markup: what stands between the parts is taken as it is, every part that is not `Html` is escaped. */
export function html(markup: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: markup.map((text, index) => text + (index < parts.length ? partOf(parts[index]) : '')).join('') }
}

function partOf(part: Part): string {
  if (part === undefined) return ''
  if (typeof part === 'string' || typeof part === 'number') return escaped(String(part))
  return 'html' in part ? part.html : part.map(partOf).join('')
}

/** Fit for text and for attributes in double quotes; control characters and reversing marks have no place in a page either. */
function escaped(text: string): string {
  const names: { readonly [character: string]: string } = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return safe(text).replaceAll(/[&<>"']/g, (character) => names[character] ?? '')
}
