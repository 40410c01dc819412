/** Whole transcripts that together hold every kind of fact. */
import type { Finding } from '../../engine/run/event.ts'
import { bad, ok, type SampleRun, sampleRun } from './sample-run.ts'

const seen = (check: string, key: string, message: string, since?: string): Finding => ({
  key,
  check,
  verdict: 'fail',
  message,
  ...(since !== undefined && { since }),
})

/** All five verdicts; against the run before: one new, one that persists, one resolved, one that cannot be seen any more. */
export function inspection(): SampleRun {
  return sampleRun({
    runbook: {
      name: 'daily-inspection',
      title: 'Daily inspection of the cloud',
      path: 'runbooks/daily-inspection.yaml',
      digest: '5d2e'.repeat(16),
      commit: '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d',
      clean: false,
    },
    inputs: { disk_limit: 85 },
    hosts: ['cmp1', 'cmp2', 'cmp3', 'ctl1'],
    cloud: 'prod',
    outline: [
      {
        step: 'services',
        name: 'Ask Nova for its services',
        kind: 'action',
        action: 'openstack.compute_service.list',
        effect: 'read',
        depth: 0,
      },
      {
        step: 'never-reached',
        name: 'The backup is recent',
        kind: 'action',
        action: 'assert.check',
        effect: 'read',
        depth: 0,
      },
    ],
    previous: {
      run: '20261120-081500-a1b2',
      at: '2026-11-20T08:15:00.000Z',
      findings: [
        seen('compute-services', 'nova-compute@cmp2', 'nova-compute on cmp2 is down', '2026-11-14T08:15:00.000Z'),
        seen('disk-space', 'ctl1:/var', '/var on ctl1 is 91% full'),
        seen('galera', 'ctl3', 'ctl3 has left the cluster', '2026-11-18T08:15:00.000Z'),
      ],
    },
  })
    .begin('services', { action: 'openstack.compute_service.list', effect: 'read', name: 'Ask Nova for its services' })
    .add({
      type: 'step.called',
      key: 'services',
      call: {
        kind: 'http',
        method: 'GET',
        url: 'https://nova.example:8774/v2.1/os-services',
        status: 200,
        requestId: 'req-7b1c6a52-8f0e-4a5e-9f61-0f4f2d6f8a11',
        took: 84,
      },
    })
    .end(
      'services',
      ok({
        services: [
          { host: 'cmp1', state: 'up' },
          { host: 'cmp2', state: 'down' },
        ],
      }),
      120,
    )
    .check(
      'compute-services',
      'fail',
      [
        {
          key: 'nova-compute@cmp2',
          message: 'nova-compute on cmp2 is down, last seen 6 days ago',
          runbook: 'compute-reboot',
        },
        { key: 'nova-compute@cmp3', message: 'nova-compute on cmp3 is disabled without a reason' },
      ],
      '2 of 34 services are not well',
    )
    .check('galera', 'unknown', [{ key: 'ctl2', message: 'ctl2 did not answer within 10s' }], 'no node answered')
    .check(
      'quota',
      'warn',
      [{ key: 'project/web', message: 'project web uses 93% of its cores' }],
      '1 of 12 projects is above 90%',
    )
    .check('disk-space', 'pass', [], '34 file systems below 85%')
    .check('ceph', 'skipped', [], 'there is no Ceph here')
    .add({ type: 'run.ended', status: 'succeeded', exit: 0, outputs: { worst: 'fail' }, counts: { succeeded: 6 } })
}

/** Loops over servers and hosts, a call that is tried again, polls, a question, a rescue, a crash, a failure and its rollback. */
export function reboot(): SampleRun {
  const service = {
    action: 'openstack.compute_service.list',
    effect: 'read',
    name: 'Find the compute service',
    params: { host: 'cmp3' },
  } as const
  const migrate = {
    action: 'openstack.server.live_migrate',
    effect: 'change',
    params: { server: '9f3c', block_migration: false },
  } as const
  const question = {
    kind: 'confirm',
    message: 'Reboot cmp3 now?',
    phrase: 'cmp3',
    table: [
      { server: 'web-1', status: 'ACTIVE', host: 'cmp4' },
      { server: 'db-1', status: 'SHUTOFF', host: 'cmp3' },
    ],
    timeout: 1_800_000,
  } as const
  return sampleRun({
    hosts: ['cmp3', 'cmp4'],
    cloud: 'prod',
    outline: [
      {
        step: 'service',
        name: 'Find the compute service',
        kind: 'action',
        action: 'openstack.compute_service.list',
        effect: 'read',
        depth: 0,
      },
      { step: 'drain', name: 'Move the servers away', kind: 'loop', depth: 0 },
      { step: 'drain', name: 'Move a server', kind: 'action', action: migrate.action, effect: 'change', depth: 1 },
      {
        step: 'confirm',
        name: 'Ask before the reboot',
        kind: 'action',
        action: 'human.confirm',
        effect: 'read',
        depth: 0,
      },
      { step: 'reboot', name: 'Reboot and wait', kind: 'block', depth: 0 },
      { step: 'reboot/go', name: 'Reboot cmp3', kind: 'action', action: 'ssh.reboot', effect: 'destructive', depth: 1 },
      {
        step: 'reboot/back',
        name: 'Wait for cmp3 to answer',
        kind: 'action',
        action: 'ssh.run',
        effect: 'read',
        depth: 1,
      },
      { step: 'reboot/tell', name: 'Say what is known', kind: 'action', action: 'ssh.run', effect: 'read', depth: 1 },
      {
        step: 'enable',
        name: 'Enable the service again',
        kind: 'action',
        action: 'openstack.compute_service.enable',
        effect: 'change',
        depth: 0,
      },
    ],
  })
    .add({ type: 'locks.taken', key: 'locks', locks: ['compute/cmp3'] })
    .begin('service', service)
    .add({
      type: 'step.called',
      key: 'service',
      call: {
        kind: 'http',
        method: 'GET',
        url: 'https://nova.example:8774/v2.1/os-services?host=cmp3',
        status: 503,
        requestId: 'req-aa',
        took: 31,
      },
    })
    .end('service', bad('http_503', 'nova answered 503'), 40)
    .add({
      type: 'step.retried',
      key: 'service',
      attempt: 1,
      outcome: bad('http_503', 'nova answered 503'),
      delay: 2_000,
    })
    .after(2_000)
    .begin('service~2', service)
    .add({
      type: 'step.called',
      key: 'service~2',
      call: {
        kind: 'http',
        method: 'GET',
        url: 'https://nova.example:8774/v2.1/os-services?host=cmp3',
        status: 200,
        requestId: 'req-ab',
        took: 44,
      },
    })
    .add({
      type: 'condition',
      key: 'service~2',
      word: 'verify',
      held: true,
      evaluated: {
        text: 'size(result.services) == 1',
        value: true,
        operands: [{ text: 'size(result.services)', value: 1 }],
      },
    })
    .end('service~2', ok({ services: [{ host: 'cmp3', binary: 'nova-compute', state: 'up' }] }), 100)
    .begin('drain', { kind: 'loop', name: 'Move the servers away', count: 2 })
    .step('drain[web-1]', { ...migrate, name: 'Move web-1' }, ok({ host: 'cmp4' }), 41_000)
    .begin('drain[db-1]', { ...migrate, name: 'Move db-1', attempt: 'x1' })
    .after(3_000)
    .add({ type: 'run.resumed', by: { user: 'li', host: 'jump2' }, pid: 99, digest: '9f3c' })
    .end('drain[db-1]', bad('in_doubt', 'it began at 08:17:13 and its end was not recorded', 'unknown'), 0)
    .add({
      type: 'asked',
      key: 'drain[db-1]!doubt',
      step: 'drain',
      question: {
        kind: 'choose',
        message: 'Did the migration of db-1 happen?',
        options: [
          { value: 'yes', label: 'yes' },
          { value: 'no', label: 'no' },
        ],
      },
    })
    .after(60_000)
    .add({
      type: 'answered',
      key: 'drain[db-1]!doubt',
      answer: { value: 'yes', by: 'li@jump2', at: '2026-11-21T08:19:00.000Z' },
    })
    .end('drain[db-1]', ok({ host: 'cmp4' }), 100)
    .end('drain', ok(null), 0)
    .begin('confirm', { action: 'human.confirm', effect: 'read', name: 'Ask before the reboot' })
    .add({ type: 'asked', key: 'confirm', step: 'confirm', question })
    .after(95_000)
    .add({ type: 'answered', key: 'confirm', answer: { value: true, by: 'li@jump2', at: '2026-11-21T08:21:00.000Z' } })
    .end('confirm', ok({ confirmed: true }), 0)
    .begin('reboot', { kind: 'block', name: 'Reboot and wait' })
    .begin('reboot/go', {
      action: 'ssh.reboot',
      effect: 'destructive',
      name: 'Reboot cmp3',
      target: 'cmp3',
      params: { host: 'cmp3' },
    })
    .add({
      type: 'step.called',
      key: 'reboot/go',
      call: { kind: 'ssh', host: 'cmp3', command: 'systemctl reboot', exitCode: 0, stdout: '', stderr: '', took: 210 },
    })
    .end('reboot/go', ok(null), 300)
    .begin('reboot/back', {
      action: 'ssh.run',
      effect: 'read',
      name: 'Wait for cmp3 to answer',
      target: 'cmp3',
      params: { command: ['uptime', '-s'] },
    })
    .add({ type: 'step.polled', key: 'reboot/back', poll: 1, seen: 'unreachable: connection refused' })
    .after(5_000)
    .add({ type: 'step.polled', key: 'reboot/back', poll: 2, seen: 'unreachable: connection refused' })
    .after(1_195_000)
    .add({
      type: 'step.called',
      key: 'reboot/back',
      call: {
        kind: 'ssh',
        host: 'cmp3',
        command: 'uptime -s',
        exitCode: 255,
        stdout: '',
        stderr: 'ssh: connect to host cmp3 port 22: Connection refused\n',
        took: 12,
      },
    })
    .end(
      'reboot/back',
      {
        status: 'timed_out',
        error: {
          code: 'until_timeout',
          message: 'cmp3 did not answer within 20m',
          hint: 'look at its console through the BMC',
        },
      },
      0,
    )
    .begin('reboot/tell', { action: 'ssh.run', effect: 'read', name: 'Say what is known', target: 'bmc3' })
    .add({
      type: 'step.called',
      key: 'reboot/tell',
      call: {
        kind: 'ssh',
        host: 'bmc3',
        command: 'ipmitool chassis status',
        exitCode: 0,
        stdout: 'System Power         : on\nPower Overload       : false\n',
        stderr: '',
        took: 480,
      },
    })
    .end('reboot/tell', ok({ exit_code: 0 }), 490)
    .end(
      'reboot',
      {
        status: 'failed',
        error: { code: 'until_timeout', message: 'cmp3 did not answer within 20m', key: 'reboot/back' },
      },
      0,
    )
    .begin('enable', { action: 'openstack.compute_service.enable', effect: 'change', name: 'Enable the service again' })
    .add({
      type: 'condition',
      key: 'enable',
      word: 'verify',
      held: false,
      message: 'the service is still disabled',
      evaluated: {
        text: "result.status == 'enabled'",
        value: false,
        operands: [{ text: 'result.status', value: 'disabled' }],
      },
    })
    .end('enable', bad('verify_failed', 'the service is still disabled'), 800)
    .begin('drain[web-1]!undo', { kind: 'block', name: 'undo Move web-1' })
    .step('drain[web-1]!undo/1', { ...migrate, name: 'Move web-1 back to cmp3' }, ok({ host: 'cmp3' }), 38_000)
    .end('drain[web-1]!undo', { status: 'rolled_back', result: null }, 0)
    .add({
      type: 'run.ended',
      status: 'rolled_back',
      exit: 1,
      error: { key: 'enable', code: 'verify_failed', message: 'the service is still disabled' },
      counts: { succeeded: 5, failed: 2, timed_out: 1, rolled_back: 1 },
    })
}

/** A dry run: one read that really ran, one change, one that may come. */
export function dryRun(): SampleRun {
  return sampleRun({ mode: 'dry-run' })
    .step(
      'service',
      { action: 'openstack.compute_service.list', effect: 'read', name: 'Find the compute service' },
      ok({}),
      100,
    )
    .add({
      type: 'step.previewed',
      key: 'disable',
      step: 'disable',
      name: 'Disable the service on cmp3',
      action: 'openstack.compute_service.disable',
      effect: 'change',
      params: { service: '42', reason: 'reboot' },
      preview: {
        summary: 'the service nova-compute on cmp3 is disabled',
        changes: [
          { path: 'status', before: 'enabled', after: 'disabled' },
          { path: 'disabled_reason', after: 'reboot' },
        ],
      },
    })
    .add({
      type: 'step.previewed',
      key: 'reboot',
      step: 'reboot',
      name: 'Reboot cmp3',
      action: 'ssh.reboot',
      effect: 'destructive',
      params: { script: 'sync\nsystemctl reboot\n' },
      maybe: 'its condition `steps.drain.result.left == 0` is known only in the run',
    })
    .add({
      type: 'step.previewed',
      key: 'back',
      step: 'back',
      name: 'Wait for cmp3 to answer',
      action: 'ssh.run',
      effect: 'read',
      params: { command: ['uptime', '-s'] },
      maybe: 'it looks at what `reboot` leaves, which a dry run does not do',
    })
    .add({ type: 'run.ended', status: 'succeeded', exit: 0, counts: { succeeded: 1 } })
}

/** A loop over many items, every tenth of which fails. */
export function longLoop(count: number): SampleRun {
  const run = sampleRun().begin('all', { kind: 'loop', name: 'Look at every host', count })
  for (let index = 0; index < count; index++) {
    const key = `all[cmp${index}]`
    run.step(
      key,
      { action: 'ssh.run', effect: 'change', name: `Look at cmp${index}`, target: `cmp${index}` },
      index % 10 === 9 ? bad('exit_code', 'exit 1') : ok(),
      10,
    )
  }
  return run.end('all', ok(), 0).add({ type: 'run.ended', status: 'succeeded', exit: 0, counts: {} })
}

/** What a remote host would write to take over a terminal, a page or a table. */
export const nasty =
  '\u001b]0;owned\u0007\u001b]8;;http://evil.example\u001b\\click\u001b]8;;\u001b\\\u001b[2J\u001b[31m<script>alert(1)</script>' +
  '\u202Etxt.exe\u009b31m"><img src=x onerror=alert(1)>`|`\n```\n| a | b |\n# not a heading\n\u001b]52;c;ZXZpbA==\u0007</pre></details>&amp;[x](javascript:alert(1))'

/** Every text a remote system or an author can choose, hostile. */
export function hostile(): SampleRun {
  return sampleRun({
    runbook: { name: nasty, title: nasty, path: nasty, digest: nasty },
    inputs: { [nasty]: nasty },
    hosts: [nasty],
    cloud: nasty,
    rehearsal: nasty,
    by: { user: nasty, host: nasty },
  })
    .begin('evil', { action: 'ssh.run', name: nasty, target: nasty, effect: 'change', params: { command: nasty } })
    .add({
      type: 'step.called',
      key: 'evil',
      call: { kind: 'ssh', host: nasty, command: nasty, exitCode: 1, stdout: nasty, stderr: nasty, took: 1 },
    })
    .add({ type: 'step.polled', key: 'evil', poll: 1, seen: nasty })
    .add({
      type: 'condition',
      key: 'evil',
      word: 'verify',
      held: false,
      message: nasty,
      evaluated: { text: nasty, value: false, operands: [{ text: nasty, value: nasty }] },
    })
    .add({
      type: 'asked',
      key: 'evil',
      step: 'evil',
      question: { kind: 'confirm', message: nasty, phrase: nasty, table: [{ [nasty]: nasty }] },
    })
    .add({ type: 'answered', key: 'evil', answer: { value: nasty, by: nasty, at: '2026-11-21T08:21:00.000Z' } })
    .end('evil', { status: 'failed', error: { code: nasty, message: nasty, hint: nasty, detail: nasty } })
    .check('bad-check', 'fail', [{ key: nasty, message: nasty, runbook: nasty }], nasty)
    .add({
      type: 'run.ended',
      status: 'failed',
      exit: 1,
      error: { key: 'evil', code: nasty, message: nasty, hint: nasty },
      outputs: { [nasty]: nasty },
      counts: {},
    })
}
