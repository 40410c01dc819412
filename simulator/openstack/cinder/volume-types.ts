import { uuidOf } from '../../random.ts'
import { ApiFailure, json, type Route } from '../http/api.ts'

const rows = [
  { name: 'ceph', description: null, extra_specs: { volume_backend_name: 'ceph' } },
  { name: '__DEFAULT__', description: 'Default Volume Type', extra_specs: {} },
] as const

const types = rows.map((row) => ({
  id: volumeTypeIdOf(row.name),
  ...row,
  is_public: true,
  qos_specs_id: null,
  'os-volume-type-access:is_public': true,
}))

/** The types volumes can have; `default` is the one a volume gets that asks for none. */
export function typeRoutes(): Route[] {
  return [
    { method: 'GET', path: '/types', handle: () => json(200, { volume_types: types }) },
    {
      method: 'GET',
      path: '/types/:id',
      handle: ({ params: { id = '' } }) => {
        const wanted = id === 'default' ? volumeTypeIdOf('ceph') : id
        const found = types.find((one) => one.id === wanted)
        if (!found) throw new ApiFailure(404, `Volume type ${id} could not be found.`)
        return json(200, { volume_type: found })
      },
    },
  ]
}

export function volumeTypeIdOf(name: string): string {
  return uuidOf(`volume-type/${name}`)
}
