import type { Action } from '../../engine/action/contract.ts'
import { apiActions } from './api.ts'
import { computeActions } from './compute.ts'
import { computeServiceActions } from './compute-service.ts'
import { dhcpSchedulingActions } from './dhcp-scheduling.ts'
import { endpointCheckActions } from './endpoint-check.ts'
import { identityActions } from './identity.ts'
import { imageActions } from './image.ts'
import { imageUpload } from './image-upload.ts'
import { instanceActionActions } from './instance-action.ts'
import { networkActions } from './network.ts'
import { networkAgentActions } from './network-agent.ts'
import { networkChangeActions } from './network-change.ts'
import { placementActions } from './placement.ts'
import { placementFit } from './placement-fit.ts'
import { portBind } from './port-binding.ts'
import { serverActions } from './server.ts'
import { serverGroupActions } from './server-group.ts'
import { serverMigrationActions } from './server-migration.ts'
import { tokenActions } from './token.ts'
import { volumeActions } from './volume.ts'
import { volumeChangeActions } from './volume-changes.ts'

/** Everything that can be done with an OpenStack cloud. */
export const actions: readonly Action[] = [
  ...tokenActions,
  ...endpointCheckActions,
  ...identityActions,
  ...computeActions,
  ...computeServiceActions,
  ...serverActions,
  ...serverMigrationActions,
  ...instanceActionActions,
  ...serverGroupActions,
  ...networkActions,
  ...networkAgentActions,
  ...networkChangeActions,
  portBind,
  ...dhcpSchedulingActions,
  ...volumeActions,
  ...volumeChangeActions,
  ...imageActions,
  imageUpload,
  ...placementActions,
  placementFit,
  ...apiActions,
]
