import { expect, test } from 'vitest'
import { listAll } from '../../../plugins/openstack/paging.ts'
import { sessionOf } from '../../../plugins/openstack/session.ts'
import { never, testContext } from '../../support/context.ts'
import { type Asked, fakeCloud, type Reply } from '../../support/openstack-server.ts'

const inside = 'http://internal.invalid:9696/v2.0/things'
const things = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id }))

/** Two at a time, as a service does that has this way to say that there are more. */
function twoAtATime(more: (marker: string) => object): (asked: Asked) => Reply {
  return ({ query }) => {
    const from = things.findIndex(({ id }) => id === query.get('marker')) + 1
    const page = things.slice(from, from + 2)
    const last = page.at(-1)?.id ?? ''
    return { json: { things: page, ...(from + 2 < things.length ? more(last) : {}) } }
  }
}

test.each([
  {
    what: 'Nova, Neutron and Cinder',
    more: (m: string) => ({ things_links: [{ rel: 'next', href: `${inside}?marker=${m}` }] }),
  },
  { what: 'Glance', more: (m: string) => ({ first: '/v2/things', next: `/v2/things?limit=2&marker=${m}` }) },
  {
    what: 'Keystone',
    more: (m: string) => ({ links: { self: inside, next: `${inside}?marker=${m}`, previous: null } }),
  },
  {
    what: 'a list of links',
    more: (m: string) => ({
      links: [
        { rel: 'self', href: inside },
        { rel: 'next', href: `?marker=${m}` },
      ],
    }),
  },
])('all pages are read, as $what links them, and no filter is lost on the way', async ({ more }) => {
  await using cloud = await fakeCloud({ 'GET /network/v2.0/things': twoAtATime(more) })
  await using world = testContext([cloud.cloud])
  const query = { colour: ['red', 'blue'], all_tenants: 1 }
  const { items } = await listAll(
    await sessionOf(world.ctx, {}),
    { service: 'network', path: '/things', query, collection: 'things' },
    never,
  )
  expect(items).toEqual(things)
  expect(cloud.asked).toHaveLength(3)
  for (const asked of cloud.asked) {
    expect(asked.query.getAll('colour')).toEqual(['red', 'blue'])
    expect(asked.query.get('all_tenants')).toBe('1')
  }
})

test('an empty page in the middle is not the end', async () => {
  const pages = [[{ id: 'a' }], [], [{ id: 'b' }]]
  await using cloud = await fakeCloud({
    'GET /network/v2.0/things': ({ query }) => {
      const at = Number(query.get('marker') ?? 0)
      const links = at < 2 ? { things_links: [{ rel: 'next', href: `?marker=${at + 1}` }] } : {}
      return { json: { things: pages[at] ?? [], ...links } }
    },
  })
  await using world = testContext([cloud.cloud])
  const { items } = await listAll(
    await sessionOf(world.ctx, {}),
    { service: 'network', path: '/things', collection: 'things' },
    never,
  )
  expect(items).toEqual([{ id: 'a' }, { id: 'b' }])
})

test.each([
  { what: 'the same page again', next: () => '?marker=a' },
  { what: 'two pages in turn', next: (marker: string | null) => (marker === 'a' ? '?marker=b' : '?marker=a') },
])('a service that gives $what for ever is a loop', async ({ next }) => {
  await using cloud = await fakeCloud({
    'GET /network/v2.0/things': ({ query }) => ({
      json: { things: [{ id: 'a' }], things_links: [{ rel: 'next', href: next(query.get('marker')) }] },
    }),
  })
  await using world = testContext([cloud.cloud])
  await expect(
    listAll(await sessionOf(world.ctx, {}), { service: 'network', path: '/things', collection: 'things' }, never),
  ).rejects.toMatchObject({ code: 'paging_loop' })
})

test.each<{ what: string; reply: Reply; code: string }>([
  { what: 'an answer without the list', reply: { json: { other: [] } }, code: 'bad_answer' },
  { what: 'a page of HTML', reply: { text: '<html>maintenance</html>' }, code: 'bad_answer' },
  {
    what: 'a list that Keystone cut off',
    reply: { json: { things: [{ id: 'a' }], truncated: true } },
    code: 'list_truncated',
  },
])('$what is not taken for an empty or a whole list', async ({ reply, code }) => {
  await using cloud = await fakeCloud({ 'GET /network/v2.0/things': reply })
  await using world = testContext([cloud.cloud])
  await expect(
    listAll(await sessionOf(world.ctx, {}), { service: 'network', path: '/things', collection: 'things' }, never),
  ).rejects.toMatchObject({ code })
})
