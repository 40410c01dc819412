import { objectsIn } from './json-body.ts'
import { notYet } from './judges.ts'
import { nameOf, type Operation } from './operation.ts'
import { vmStateOf } from './server-state.ts'
import { computeVersions } from './versions.ts'

export const deleteServer: Operation = {
  name: 'openstack.server.delete',
  summary: 'deletes a server, and waits until it is gone',
  description:
    'Volumes that are marked so are deleted with it: a dry run shows them. An id that does not exist is as wanted; a name that does not exist fails. A cloud that keeps deleted servers for a while shows SOFT_DELETED, which is taken for gone.',
  effect: 'destructive',
  action: 'delete',
  removes: true,
  needsHost: false,
  underWay: ['deleting', 'soft-deleting'],
  breaksInto: () => true,
  holds: (server) => isGone(vmStateOf(server)),
  request: () => ({ method: 'DELETE', path: '', versions: computeVersions }),
  judge: (look) => (isGone(vmStateOf(look.seen.server)) ? 'done' : notYet(look)),
  grace: 60_000,
  preview: ({ server }) => ({
    summary: `would delete \`${nameOf(server)}\``,
    changes: [
      { path: nameOf(server), before: server['status'] ?? null, after: null },
      ...objectsIn(server['os-extended-volumes:volumes_attached']).map(({ id, delete_on_termination: goes }) => ({
        path: `volume ${String(id)}`,
        before: `attached to ${nameOf(server)}`,
        after: goes === true ? null : 'detached',
      })),
    ],
  }),
}

const isGone = (state: string): boolean => state === 'deleted' || state === 'soft-delete'
