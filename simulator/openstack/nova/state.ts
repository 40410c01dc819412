import type { Beating } from '../heartbeat.ts'

export interface NovaServiceRecord extends Beating {
  readonly id: number
  readonly uuid: string
  readonly binary: string
  readonly zone: string
  disabled: boolean
  disabledReason: string | null
  forcedDown: boolean
  /** When somebody last enabled, disabled or forced it. */
  touchedAt: number
}

export interface Hypervisor {
  readonly id: number
  /** The same in Placement. */
  readonly uuid: string
  readonly host: string
  readonly address: string
  readonly vcpus: number
  readonly memoryMb: number
  readonly reservedMb: number
  readonly diskGb: number
  readonly cpuRatio: number
}

export interface Flavor {
  readonly id: string
  readonly name: string
  readonly vcpus: number
  readonly ram: number
  readonly disk: number
  readonly description: string | null
}

export type VmState =
  | 'building'
  | 'active'
  | 'stopped'
  | 'paused'
  | 'suspended'
  | 'rescued'
  | 'resized'
  | 'shelved'
  | 'shelved_offloaded'
  | 'error'
  | 'deleted'

export interface Fault {
  readonly code: number
  readonly message: string
  readonly created: number
  readonly details: string
}

export interface NovaServer {
  readonly id: string
  readonly number: number
  readonly name: string
  readonly project: string
  readonly user: string
  flavor: Flavor
  /** '' for a server that boots from a volume. */
  readonly image: string
  /** Where it is; null before it is scheduled and after it is offloaded. */
  host: string | null
  readonly zone: string
  readonly createdAt: number
  updatedAt: number
  launchedAt: number | null
  vmState: VmState
  taskState: string | null
  /** 0 none, 1 running, 3 paused, 4 shut down, 6 crashed, 7 suspended. */
  powerState: 0 | 1 | 3 | 4 | 6 | 7
  readonly volumes: { readonly id: string; readonly device: string; readonly deleteOnTermination: boolean }[]
  metadata: { [key: string]: string }
  fault: Fault | null
  /** In error because no host would take it: such servers are kept apart, in a cell without hosts. */
  neverPlaced?: true
  lockedReason: string | null
  locked: boolean
  description: string | null
  tags: string[]
  readonly keyName: string | null
}

export interface Migration {
  readonly id: number
  readonly uuid: string
  readonly server: string
  readonly kind: 'live-migration' | 'migration' | 'resize' | 'evacuation'
  status: string
  readonly source: string
  destination: string | null
  readonly flavor: number
  readonly user: string
  readonly project: string
  readonly createdAt: number
  updatedAt: number
}

export interface ActionEvent {
  readonly event: string
  readonly startedAt: number
  finishedAt: number | null
  result: 'Success' | 'Error' | null
  readonly host: string | null
  details: string | null
}

export interface InstanceAction {
  readonly server: string
  readonly requestId: string
  readonly action: string
  readonly user: string
  readonly project: string
  readonly startedAt: number
  updatedAt: number
  message: string | null
  readonly events: ActionEvent[]
}

export interface Aggregate {
  readonly id: number
  readonly uuid: string
  readonly name: string
  readonly hosts: readonly string[]
  readonly metadata: { readonly [key: string]: string }
  readonly zone: string | null
  readonly createdAt: number
}

export interface NovaState {
  readonly services: NovaServiceRecord[]
  readonly hypervisors: Hypervisor[]
  readonly flavors: readonly Flavor[]
  /** Deleted ones stay, for `changes-since`. */
  readonly servers: NovaServer[]
  readonly migrations: Migration[]
  readonly actions: InstanceAction[]
  readonly aggregates: readonly Aggregate[]
  /** Project to limits; the usual ones where a project has none. */
  readonly quotas: Map<string, { readonly [resource: string]: number }>
}

/** The server's place among those that exist. */
export const existing = ({ servers }: NovaState): NovaServer[] => servers.filter(({ vmState }) => vmState !== 'deleted')
