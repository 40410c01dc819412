import { styleText } from 'node:util'

export type Style = 'good' | 'bad' | 'warn' | 'doubt' | 'dim' | 'strong' | 'plain'
export type Paint = (style: Style, text: string) => string

/** Colours, or the text as it is. Only `safe` text may be painted. */
export function painter(colour: boolean): Paint {
  if (!colour) return (_, text) => text
  // the stream is judged once, by `colourWanted`, not by Node at each word
  return (style, text) => (style === 'plain' ? text : styleText(formats[style], text, { validateStream: false }))
}

const formats = {
  good: 'green',
  bad: ['bold', 'red'],
  warn: 'yellow',
  doubt: 'magenta',
  dim: 'dim',
  strong: 'bold',
} as const satisfies { [style in Exclude<Style, 'plain'>]: Parameters<typeof styleText>[0] }

/** The conventions: `FORCE_COLOR` decides, then `NO_COLOR`, then whether it is a terminal that has colours. */
export function colourWanted(out: {
  readonly isTTY?: boolean | undefined
  readonly env: { readonly [name: string]: string | undefined }
}): boolean {
  const forced = out.env['FORCE_COLOR']
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false'
  if (out.env['NO_COLOR']) return false
  return out.isTTY === true && out.env['TERM'] !== 'dumb'
}
