import { faults } from './faults.ts'
import type { ParameterSchema } from './parameters.ts'

type Schema = { readonly [keyword: string]: unknown }

/** What a scenario file may say: what an editor completes by, with every fault and what it takes. */
export function scenarioSchema(): Schema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'https://runbook.dev/schemas/scenario.schema.json',
    title: 'Scenario',
    description: 'A starting world of the rehearsal cloud and what is, or goes, wrong with it.',
    type: 'object',
    additionalProperties: false,
    required: ['apiVersion', 'name', 'title', 'description', 'faults'],
    properties: {
      apiVersion: {
        title: 'Version of the format',
        description: 'Always `runbook/v1`.',
        const: 'runbook/v1',
      },
      name: {
        title: 'Name',
        description: 'What `--rehearse` takes; the same as the name of the file.',
        type: 'string',
        pattern: '^[a-z][a-z0-9-]*$',
      },
      title: {
        title: 'Title',
        description: 'One line for lists.',
        type: 'string',
        minLength: 1,
      },
      description: {
        title: 'Description',
        description: 'What a trainee sees and should find. Markdown.',
        type: 'string',
      },
      topology: {
        $ref: '#/$defs/topology',
      },
      faults: {
        title: 'Faults',
        description: 'What is wrong, in the order in which it is made so.',
        type: 'array',
        items: {
          $ref: '#/$defs/fault',
        },
      },
      expect: {
        title: 'Expected verdicts',
        description:
          'What a runbook that judges the cloud should say: for each runbook, the verdicts that are not `pass`, by the key of the check.',
        type: 'object',
        propertyNames: {
          pattern: '^[a-z][a-z0-9-]*$',
        },
        additionalProperties: {
          title: 'Verdicts',
          description: 'The key of a check to its verdict.',
          type: 'object',
          additionalProperties: {
            enum: ['pass', 'warn', 'fail', 'unknown', 'skipped'],
          },
        },
      },
    },
    $defs: {
      topology: {
        title: 'Size of the world',
        description:
          'What is not said is as in the usual world: 3 controllers, 6 compute hosts, 4 Ceph hosts with 3 OSDs each, 3 databases, 40 servers.',
        type: 'object',
        additionalProperties: false,
        properties: {
          region: {
            title: 'Region',
            description: 'Name of the region in the catalogue.',
            type: 'string',
          },
          controllers: {
            title: 'Controllers',
            description: 'Hosts `ctl1` and on.',
            type: 'integer',
            minimum: 1,
          },
          computes: {
            title: 'Compute hosts',
            description: 'How many: hosts `cmp1` and on. Or their names, where names matter.',
            anyOf: [
              {
                type: 'integer',
                minimum: 1,
              },
              {
                type: 'array',
                items: {
                  type: 'string',
                },
                minItems: 1,
                uniqueItems: true,
              },
            ],
          },
          ceph: {
            title: 'Ceph hosts',
            description: 'Hosts `ceph1` and on.',
            type: 'integer',
            minimum: 0,
          },
          databases: {
            title: 'Databases',
            description: 'Hosts `db1` and on.',
            type: 'integer',
            minimum: 1,
          },
          osds_per_host: {
            title: 'OSDs',
            description: 'OSDs on each Ceph host.',
            type: 'integer',
            minimum: 0,
          },
          cephadm: {
            title: 'cephadm',
            description:
              "Whether Ceph's daemons are containers that cephadm makes and removes; packages and `ceph-volume` otherwise.",
            type: 'boolean',
          },
          servers: {
            title: 'Servers',
            description: 'Servers of all projects.',
            type: 'integer',
            minimum: 0,
          },
        },
      },
      fault: faultSchema(),
    },
  }
}

function faultSchema(): Schema {
  return {
    title: 'Fault',
    description: 'One thing that is wrong.',
    type: 'object',
    additionalProperties: false,
    required: ['fault'],
    properties: {
      fault: {
        title: 'Name',
        description: 'The name of the fault: `nova.compute_down`.',
        enum: faults.map(({ name }) => name),
      },
      with: { title: 'Parameters', description: 'What the fault takes.', type: 'object' },
      after: {
        title: 'When',
        description:
          "How long after the beginning, or after `once`, it happens, in the world's time: `90s`, `1h30m`. At once, unless told.",
        type: 'string',
        pattern: '^([0-9]+(ms|s|m|h|d))+$',
      },
      once: {
        title: 'After what',
        description:
          'The change after which it happens, as the effect log (`--effects`) tells it: its kind, `openstack.server.live_migrate`, with or without what is changed.',
        type: 'string',
        pattern: '^\\S+\\.\\S+( \\S.*)?$',
      },
    },
    // an editor asks about a fault of which nothing is written yet, too: that has no name
    allOf: faults.map(({ name, summary, params }) => ({
      if: { type: 'object', required: ['fault'], properties: { fault: { const: name } } },
      // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
      then: {
        properties: { fault: { description: summary }, with: { ...params, required: needed(params) } },
        required: needed(params).length > 0 ? ['with'] : [],
      },
    })),
  }
}

/** Parameters that must be given. */
function needed({ required = [], properties }: ParameterSchema): readonly string[] {
  return required.filter((name) => properties[name]?.default === undefined)
}
