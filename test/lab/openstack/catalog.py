"""Roles, projects, users, services and endpoints of the lab. Argument: the password of every account. Repeatable."""
import sys

import openstack

password = sys.argv[1]
cloud = openstack.connect()
identity = cloud.identity


def role(name):
    return identity.find_role(name) or identity.create_role(name=name)


def project(name):
    return identity.find_project(name, domain_id='default') or identity.create_project(name=name, domain_id='default')


def user(name, home):
    return identity.find_user(name, domain_id='default') or identity.create_user(
        name=name, domain_id='default', password=password, default_project_id=home.id)


admin, member, service = role('admin'), role('member'), role('service')
services, demo = project('service'), project('demo')
for name in ('glance', 'placement', 'nova', 'neutron', 'cinder'):
    account = user(name, services)
    identity.assign_project_role_to_user(services, account, admin)
    identity.assign_project_role_to_user(services, account, service)
identity.assign_project_role_to_user(demo, user('demo', demo), member)
identity.assign_project_role_to_user(demo, identity.find_user('admin'), admin)

for name, kind, url in (
        ('glance', 'image', 'http://127.0.0.1:9292'),
        ('placement', 'placement', 'http://127.0.0.1:8778'),
        ('nova', 'compute', 'http://127.0.0.1:8774/v2.1'),
        ('neutron', 'network', 'http://127.0.0.1:9696'),
        ('cinderv3', 'volumev3', 'http://127.0.0.1:8776/v3/%(project_id)s')):
    found = next((s for s in identity.services() if s.type == kind), None) or identity.create_service(name=name, type=kind)
    have = {e.interface for e in identity.endpoints(service_id=found.id)}
    for interface in {'public', 'internal', 'admin'} - have:
        identity.create_endpoint(service_id=found.id, interface=interface, url=url, region_id='RegionOne')
