import { expect, test } from 'vitest'
import { noWiring, type Question } from '../../../simulator/hosts/wiring.ts'
import { startWorld } from './world.ts'

/** What arping of iputils 20221126 writes, seen on a real host. */
const guest = 'FA:16:3E:00:00:01'
const reply = `Unicast reply from 10.0.0.9 [${guest}]  0.ms`
const head = 'ARPING 10.0.0.9 from 10.0.0.2 tap1'

test.each([
  {
    who: 'the guest answers',
    answered: ['arp_broadcast', 'arp'],
    said: [head, reply, reply, 'Sent 2 probes (1 broadcast(s))', 'Received 2 response(s)'],
    code: 0,
  },
  {
    who: 'others answer for the guest',
    answered: ['arp_broadcast'],
    said: [head, reply, 'Sent 2 probes (1 broadcast(s))', 'Received 1 response(s)'],
    code: 0,
  },
  {
    who: 'nobody answers',
    answered: [],
    said: [head, 'Sent 2 probes (2 broadcast(s))', 'Received 0 response(s)'],
    code: 1,
  },
])('arping asks everybody until somebody answers, and then only who did: $who', async ({ answered, said, code }) => {
  await using world = await startWorld()
  const link = {
    name: 'tap1',
    mac: 'fa:16:3e:00:00:02',
    up: true,
    mtu: 1450,
    kind: 'veth',
    address: '10.0.0.2',
  } as const
  world.world.estate.wiring = () => ({
    ...noWiring,
    namespaces: () => ['qdhcp-1'],
    links: () => [link],
    answers: (_namespace, _address, question: Question) =>
      (answered as readonly string[]).includes(question) ? guest.toLowerCase() : undefined,
  })
  const answer = await world.run('ctl1', `ip netns exec qdhcp-1 arping -c 2 -w 4 -I tap1 10.0.0.9`)
  expect(answer.stdout.replace(/\d+ms/g, 'ms').trim().split('\n')).toEqual(said)
  expect(answer.code).toBe(code)
})
