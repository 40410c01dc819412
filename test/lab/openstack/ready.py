"""Exits 0 when every compute service, network agent and the volume service is up. Argument: how many computes."""
import sys

import openstack

computes = int(sys.argv[1])
cloud = openstack.connect()
up = [s for s in cloud.compute.services() if s.state == 'up' and s.binary == 'nova-compute']
alive = [a for a in cloud.network.agents() if a.is_alive]
volumes = cloud.block_storage.get('/os-services').json()['services']
assert len(up) >= computes, up
assert len(alive) >= computes + 4, alive
assert any(v['binary'] == 'cinder-volume' and v['state'] == 'up' for v in volumes), volumes
