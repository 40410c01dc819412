import { expect, test } from 'vitest'
import { html } from '../../../engine/view/html-text.ts'

test('a text ends neither an element nor an attribute, in whatever quotes', () => {
  const text = `"'<b>&amp;`
  expect(html`<p title="${text}">${text}</p>`.html).toBe(
    '<p title="&quot;&#39;&lt;b&gt;&amp;amp;">&quot;&#39;&lt;b&gt;&amp;amp;</p>',
  )
})

test('markup, lists, numbers and what is not there go in as they are', () => {
  expect(html`<ul>${[1, 2].map((each) => html`<li>${each}</li>`)}${undefined}</ul>`.html).toBe(
    '<ul><li>1</li><li>2</li></ul>',
  )
})
