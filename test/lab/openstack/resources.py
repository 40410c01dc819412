"""A few flavors, a tiny image and a volume type. Argument: the image's file. Repeatable."""
import sys

import openstack

cloud = openstack.connect()
for name, vcpus, ram, disk in (('m1.nano', 1, 64, 0), ('m1.micro', 1, 128, 1), ('m1.small', 2, 512, 2)):
    cloud.compute.find_flavor(name) or cloud.compute.create_flavor(name=name, vcpus=vcpus, ram=ram, disk=disk)
cloud.image.find_image('tiny') or cloud.create_image(
    'tiny', filename=sys.argv[1], disk_format='raw', container_format='bare', visibility='public', wait=True)
cloud.block_storage.find_type('nfs') or cloud.block_storage.create_type(
    name='nfs', extra_specs={'volume_backend_name': 'nfs'})
