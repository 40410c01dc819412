/** Changes, loops, parallel branches, a block with rescue, an undo and a called runbook: what a crash can hit. */
export const longRunbook = `
apiVersion: runbook/v1
name: long
steps:
  - id: look
    action: test.read
    with: { what: look }
  - id: first
    action: test.change
    with: { what: first, note: "{{ steps.look.result.of }}" }
    rollback:
      - action: test.change
        with: { what: undo-first }
  - id: each
    for_each: "['a', 'b', 'c']"
    as: letter
    key: letter
    max_parallel: 2
    action: test.change
    with: { what: "each-{{ letter }}" }
  - id: both
    parallel:
      - id: left
        action: test.change
        with: { what: left }
      - id: right
        block:
          - id: right_one
            action: test.change
            with: { what: right-one }
          - id: right_two
            action: test.read
            with: { what: right-two }
  - id: risky
    block:
      - id: breaks
        action: test.change
        with: { what: breaks }
    rescue:
      - id: mend
        action: test.change
        with: { what: "mend-{{ failure.code }}" }
    always:
      - id: tidy
        action: test.change
        with: { what: tidy }
  - id: inner
    runbook: called
    with: { thing: "{{ steps.look.result.of }}" }
  - id: retried
    action: test.change
    with: { what: retried }
    retry: { attempts: 3, delay: 1s }
  - id: last
    action: test.change
    with: { what: "last-{{ steps.inner.result.made }}" }
outputs:
  made: steps.inner.result.made
`

export const calledRunbook = `
apiVersion: runbook/v1
name: called
inputs:
  thing: { type: string, description: What to make }
steps:
  - id: make
    action: test.change
    with: { what: "made-{{ inputs.thing }}" }
outputs:
  made: steps.make.result.of
`

/** What the world shows after one walk from the beginning to the end, changes only, each once. */
export const everyChange = [
  'first',
  'each-a',
  'each-b',
  'each-c',
  'left',
  'right-one',
  'breaks',
  'mend-broken',
  'tidy',
  'made-look',
  'retried',
  'retried',
  'last-made-look',
]
