import type { Beating } from '../heartbeat.ts'

export interface NovaServiceRecord extends Beating {
  readonly id: number
  readonly uuid: string
  readonly binary: string
  zone: string
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
  /** What the scheduler and the driver read; none unless told. */
  readonly extraSpecs?: { readonly [name: string]: string }
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
  image: string
  /** Where it is; null before it is scheduled and after it is offloaded. */
  host: string | null
  zone: string
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
  /** It was built with a drive that holds its metadata, and maybe its addresses. */
  configDrive?: true
  /** What its guest was given at its first start, in base64. */
  readonly userData?: string
  /** What it claims in Placement in its own name, while that is not its flavor on its host: on its way elsewhere. */
  claimed?: { readonly host: string; readonly flavor: Flavor } | undefined
  /** Its guest is off, and Nova has not noticed: its host went down with it. */
  guestOff?: true | undefined
  /** How long its guest takes to end when it is asked to, or Nova to switch it off, in milliseconds. */
  shutdown?: number
}

export interface Migration {
  readonly id: number
  readonly uuid: string
  readonly server: string
  readonly kind: 'live-migration' | 'migration' | 'resize' | 'evacuation'
  status: string
  readonly source: string
  destination: string | null
  /** The number of the flavor it had, and of the one it is to have. */
  readonly flavor: number
  readonly newFlavor?: number
  readonly user: string
  readonly project: string
  readonly createdAt: number
  updatedAt: number
  /** How far a live migration has come; only while it runs. */
  transfer?: Transfer | undefined
  /** What a resize or a cold migration can go back to. */
  readonly before?: { readonly flavor: Flavor; readonly vmState: VmState }
}

export interface Transfer {
  readonly startedAt: number
  /** How long the disks take, in milliseconds; none where others can reach them too. */
  readonly disks: number
  /** And then the memory; without end when the guest writes faster than the network carries. */
  readonly memory: number
}

/** What is claimed for a server beside its own claim: on the host it may go back to, or has not been cleaned from. */
export interface Hold {
  /** The migration, or the server itself. */
  readonly consumer: string
  readonly server: string
  readonly host: string
  readonly flavor: Flavor
}

/** A domain that libvirt knows on a host and that does not belong there by Nova's books. */
export interface Orphan {
  readonly host: string
  readonly uuid: string
  readonly name: string
  running: boolean
  /** It is what an evacuation left: it goes when the compute service of the host is back. */
  readonly evacuated?: string
}

export type GroupPolicy = 'affinity' | 'anti-affinity' | 'soft-affinity' | 'soft-anti-affinity'

export interface ServerGroup {
  readonly id: string
  readonly name: string
  readonly policy: GroupPolicy
  readonly rules: { readonly [rule: string]: number }
  readonly project: string
  readonly user: string
  /** Ids of servers, also of deleted ones. */
  readonly members: string[]
}

/** How the operations on one server go wrong; every time, or as often as `left` says. */
export interface Upset {
  readonly kind: 'stalls' | 'precheck' | 'breaks' | 'slow' | 'local' | 'spawn' | 'unwired' | 'unconfirmed'
  /** None: every server. */
  readonly server: string | undefined
  readonly message: string
  readonly factor: number
  left: number
}

/** When a user acts: once the host is out of service, goes down, or has its compute service back. */
export type UserMoment = 'disabled' | 'reboot' | 'back'

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
  readonly aggregates: Aggregate[]
  readonly groups: ServerGroup[]
  readonly holds: Hold[]
  readonly orphans: Orphan[]
  readonly upsets: Upset[]
  /** What users mean to do to their servers. */
  readonly plans: { readonly server: string; readonly when: UserMoment; done: boolean }[]
  /** The second number of the newest version it speaks, where it is of an old release. */
  newest?: number
  /** Hosts whose cell does not answer: Nova knows no more of them than that they are there. */
  readonly silentCells: Set<string>
  /** Hosts whose compute service is not heard of after its next start. */
  readonly mute: Set<string>
  /** What waits for the compute service of a host to come back: calls it has not taken from its queue. */
  readonly queued: { readonly host: string; readonly take: () => void }[]
  /** Project to limits; the usual ones where a project has none. */
  readonly quotas: Map<string, { readonly [resource: string]: number }>
}

/** The server's place among those that exist. */
export const existing = ({ servers }: NovaState): NovaServer[] => servers.filter(({ vmState }) => vmState !== 'deleted')
