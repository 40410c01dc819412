import { describe, expect, test } from 'vitest'
import { renderHtml } from '../../../engine/view/html.ts'
import { renderJson } from '../../../engine/view/json.ts'
import { renderMarkdown } from '../../../engine/view/markdown.ts'
import { reportOf } from '../../../engine/view/report-of.ts'
import { renderText } from '../../../engine/view/text.ts'
import { dryRun, hostile, inspection, longLoop, reboot } from '../../support/sample-runs.ts'

/** A line of Markdown without escaped backticks and without code spans. */
const withoutCode = (line: string) => line.replaceAll('\\`', '').replaceAll(/(`+)(?!`).*?(?<!`)\1(?!`)/g, '')

/** The lines of Markdown that stand outside fences, and the fence that is left open. */
function read(page: string): { readonly outside: readonly string[]; readonly fence: string | undefined } {
  let fence: string | undefined
  const outside: string[] = []
  for (const line of page.split('\n')) {
    const mark = line.match(/^`{3,}/)?.[0]
    if (fence === undefined && mark !== undefined) fence = mark
    else if (fence !== undefined && line === fence) fence = undefined
    else if (fence === undefined) outside.push(line)
  }
  return { outside, fence }
}

const forms = { text: renderText, markdown: renderMarkdown, html: renderHtml }

describe.each(Object.entries(forms))('%s', (_, render) => {
  test('holds what a reboot did: commands, calls, answers, doubts, who resumed it', () => {
    const text = render(reboot().entries()).replaceAll('\\', '')
    for (const fact of [
      'uptime -s',
      'exit 255',
      'Connection refused',
      '503',
      'req-ab',
      'drain[db-1]',
      'jump2',
      'System Power',
      'result.status',
      '20m',
      'rolled back',
      '9f3c2a1be07d',
    ])
      expect(text).toContain(fact)
  })

  test('holds what an inspection found, and what became of it', () => {
    const text = render(inspection().entries()).replaceAll('\\', '')
    for (const fact of [
      'worst verdict FAIL',
      'New',
      'Still there',
      '7 days',
      'No longer visible',
      'Resolved',
      'it was not reached',
      'runbook exec compute-reboot',
    ])
      expect(text).toContain(fact)
  })

  test('names every check by its key, also one that found nothing', () => {
    const lines = render(inspection().entries()).replaceAll('\\', '').split('\n')
    const passed = lines.find((line) => line.includes('34 file systems below 85%') && line.includes('pass'))
    expect(passed).toContain('disk-space')
  })

  test('says of a dry run that nothing was changed, and what would be', () => {
    const text = render(dryRun().entries()).replaceAll('\\', '')
    for (const fact of [
      'nothing was changed',
      'would do',
      'might do',
      'status: enabled',
      'status: disabled',
      'is known only in the run',
    ])
      expect(text).toContain(fact)
  })

  test('holds no control character and nothing that runs backwards, whatever a host wrote', () => {
    expect(render(hostile().entries())).not.toMatch(
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/,
    )
  })

  test('ten thousand items make it long, not slow', () => {
    expect(render(longLoop(10_000).entries())).toContain('cmp9999')
  })
})

describe('html', () => {
  const page = renderHtml(hostile().entries())

  test('a hostile text forms no element and no attribute', () => {
    const tags = new Set([...page.matchAll(/<\/?([a-z][a-z0-9]*)/gi)].map(([, tag]) => tag?.toLowerCase()))
    expect(tags).not.toContain('script')
    expect(tags).not.toContain('img')
    expect(page).not.toMatch(/<[^>]*\son[a-z]+=/i)
    expect(page).not.toMatch(/<[^>]*\s(?:href|src)=/i)
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  })

  test('every element that is opened is closed, so nothing breaks out of its place', () => {
    const open: string[] = []
    for (const [, close, tag = ''] of page.replace(/<style>[^<]*<\/style>/, '').matchAll(/<(\/?)([a-z][a-z0-9]*)/g)) {
      if (['meta', 'br'].includes(tag)) continue
      if (close === '') open.push(tag)
      else expect(open.pop()).toBe(tag)
    }
    expect(open).toEqual([])
  })

  test('it needs nothing from outside and may run nothing', () => {
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'`)
    expect(page).not.toMatch(/@import|url\(/)
  })

  test('what went wrong is open, what went well is folded', () => {
    const steps = renderHtml(reboot().entries()).split('<li><details')
    const open = steps.filter((step) => step.startsWith(' open'))
    expect(open.map((step) => step.match(/<code class="dim">([^<]*)/)?.[1])).toEqual(['reboot/back', 'enable'])
  })

  test('a verdict is a word and a sign, not only a colour', () => {
    expect(renderHtml(inspection().entries())).toMatch(/<span aria-hidden="true">✗<\/span> FAIL/)
  })
})

describe('markdown', () => {
  const page = renderMarkdown(hostile().entries())

  const { outside, fence } = read(page)

  test('a hostile text ends no fence', () => {
    expect(fence).toBeUndefined()
    expect(outside.filter((line) => line.startsWith('# '))).toHaveLength(1)
    expect(outside.filter((line) => /<(?!code>|\/code>)/.test(withoutCode(line)))).toEqual([])
  })

  test('a hostile text adds no cell to a table and no link', () => {
    const rows = page.split('\n').filter((line) => /^\| (?:rehearsal|by|inputs|cloud) \|/.test(line))
    expect(rows).toHaveLength(4)
    for (const row of rows) expect(row.match(/(?<!\\)\|/g)).toHaveLength(3)
    for (const line of outside) expect(withoutCode(line)).not.toMatch(/(?<!\\)\]\(|:\/\//)
  })
})

test('JSON is the report itself', () => {
  expect(JSON.parse(renderJson(reboot().entries()))).toEqual(JSON.parse(JSON.stringify(reportOf(reboot().entries()))))
})
