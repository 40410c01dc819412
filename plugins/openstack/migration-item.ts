import { anything, text, whole } from '../../engine/action/define.ts'
import { apiObject } from './fields.ts'

/** A migration as Nova gives it. */
export const migrationItem = apiObject(
  'A migration',
  {
    id: whole('Number'),
    uuid: text('UUID'),
    instance_uuid: text('The server'),
    status: text('`running`, `completed`, `failed`, …; what it means depends on the type'),
    migration_type: text('`live-migration`, `migration`, `resize`, `evacuation`'),
    source_compute: text('From this host'),
    dest_compute: text('To this host'),
    source_node: text('From this hypervisor'),
    dest_node: text('To this hypervisor'),
    dest_host: text('Address of the destination'),
    old_instance_type_id: whole('Flavor before'),
    new_instance_type_id: whole('Flavor after'),
    user_id: text('Who asked for it'),
    project_id: text('Project of who asked'),
    created_at: text('When it began, without a zone'),
    updated_at: text('When it last changed, without a zone'),
    links: anything('Addresses of it, while it runs'),
  },
  ['id', 'status'],
)
