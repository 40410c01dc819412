"""Nova's fake hypervisor, made to behave more like a real host. Load with compute_driver = fake_lab_driver.LabDriver
(the launchers that up.sh and ../compute-hosts/up.sh write add this file's folder to nova.virt's path).

What it keeps, under state_path:
  lab-guests.json             the guests of this host: they survive a restart of nova-compute; after a reboot of the host
                              (another boot id) they are still defined but shut down, as libvirt shows them
  instances/UUID/console.log  what 'console log show' prints: write what the guest should have said. Begun anew at each
                              guest boot: one line, then the text of instances/UUID/console.boot if there is one
  lab-control.json            faults to play, read again at each call; no file: none
     {"fail":  {"METHOD": "text"}, "delay": {"METHOD": seconds},     any driver method named in FAULTS below
      "live_migration": {"seconds": 20, "stall": true, "fail": "text"}}   duration; never converges; breaks off at the end
"""
import functools
import io
import json
import os
import shutil
import time

from oslo_log import log as logging

from nova.compute import power_state
from nova.compute import task_states
import nova.conf
from nova import exception
from nova.image import glance
from nova.virt import fake

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)
FAULTS = ('spawn', 'destroy', 'power_on', 'power_off', 'reboot', 'pause', 'unpause', 'suspend', 'resume', 'rescue', 'unrescue',
          'snapshot', 'migrate_disk_and_power_off', 'finish_migration', 'confirm_migration', 'finish_revert_migration',
          'check_can_live_migrate_destination', 'check_can_live_migrate_source', 'pre_live_migration',
          'post_live_migration_at_source', 'post_live_migration_at_destination', 'attach_volume', 'detach_volume',
          'attach_interface', 'detach_interface', 'get_console_output',
          'get_available_resource')    # at the end of a live migration too: the server is there, its migration still running


class LabDriver(fake.MediumFakeDriver):

    def init_host(self, host):
        super().init_host(host)
        self.orders = {}
        try:
            with open(os.path.join(CONF.state_path, 'lab-guests.json')) as f:
                saved = json.load(f)
        except FileNotFoundError:
            saved = {'boot_id': '', 'guests': {}}
        for uuid, (name, state) in saved['guests'].items():
            if saved['boot_id'] != self._boot_id():
                state = power_state.SHUTDOWN
            self.instances[uuid] = fake.FakeInstance(name, state, uuid)
        self._save()

    @staticmethod
    def _boot_id():
        with open('/proc/sys/kernel/random/boot_id') as f:
            return f.read().strip()

    def _save(self):
        path = os.path.join(CONF.state_path, 'lab-guests.json')
        with open(path + '.tmp', 'w') as f:
            json.dump({'boot_id': self._boot_id(), 'guests': {u: (i.name, i.state) for u, i in self.instances.items()}}, f)
        os.replace(path + '.tmp', path)

    @staticmethod
    def _control(*keys):
        try:
            with open(os.path.join(CONF.state_path, 'lab-control.json')) as f:
                value = json.load(f)
        except (FileNotFoundError, ValueError):
            return None
        for key in keys:
            value = (value or {}).get(key)
        return value

    def _file(self, instance, name):
        folder = os.path.join(CONF.instances_path, instance.uuid)
        os.makedirs(folder, exist_ok=True)
        return os.path.join(folder, name)

    def _set(self, instance, state, booted=False):
        if instance.uuid not in self.instances:
            raise exception.InstanceNotFound(instance_id=instance.uuid)
        self.instances[instance.uuid].state = state
        if booted:
            with open(self._file(instance, 'console.log'), 'w') as f:
                f.write('lab guest %s booted on %s at %s\n' % (instance.name, CONF.host, time.strftime('%FT%TZ', time.gmtime())))
                if os.path.exists(self._file(instance, 'console.boot')):
                    with open(self._file(instance, 'console.boot')) as more:
                        f.write(more.read())

    def get_host_ip_addr(self):
        return CONF.my_ip

    def get_console_output(self, context, instance):
        try:
            with open(self._file(instance, 'console.log'), 'rb') as f:
                return f.read()[-102400:]
        except FileNotFoundError:
            return b''

    def spawn(self, context, instance, *args, power_on=True, **kwargs):
        super().spawn(context, instance, *args, power_on=power_on, **kwargs)
        self._set(instance, self.instances[instance.uuid].state, booted=power_on)

    def destroy(self, context, instance, network_info, block_device_info=None, destroy_disks=True, destroy_secrets=True):
        if instance.uuid in self.instances:
            super().destroy(context, instance, network_info)
        shutil.rmtree(os.path.join(CONF.instances_path, instance.uuid), ignore_errors=True)

    def power_on(self, context, instance, *args, **kwargs):
        self._set(instance, power_state.RUNNING, booted=True)

    def pause(self, instance):
        self._set(instance, power_state.PAUSED)

    def unpause(self, instance):
        self._set(instance, power_state.RUNNING)

    def suspend(self, context, instance):
        self._set(instance, power_state.SHUTDOWN)      # as libvirt's managed save

    def resume(self, context, instance, network_info, block_device_info=None):
        self._set(instance, power_state.RUNNING)

    def rescue(self, context, instance, *args, **kwargs):
        self._set(instance, power_state.RUNNING, booted=True)

    def resume_state_on_host_boot(self, context, instance, network_info, block_device_info=None):
        self.reboot(context, instance, network_info, 'HARD', block_device_info)

    def attach_interface(self, context, instance, image_meta, vif):
        self._interfaces[vif['id']] = vif

    def detach_interface(self, context, instance, vif):
        self._interfaces.pop(vif['id'], None)          # after a restart or a migration it is not known here

    def snapshot(self, context, instance, image_id, update_task_state):
        if instance.uuid not in self.instances:
            raise exception.InstanceNotRunning(instance_id=instance.uuid)
        api = glance.API()
        image = api.get(context, image_id)
        update_task_state(task_state=task_states.IMAGE_PENDING_UPLOAD)
        update_task_state(task_state=task_states.IMAGE_UPLOADING, expected_state=task_states.IMAGE_PENDING_UPLOAD)
        data = ('lab disk of %s at %s\n' % (instance.uuid, time.time())).encode().ljust(65536, b'\0')
        api.update(context, image_id, {'name': image['name'], 'disk_format': image.get('disk_format') or 'raw',
                                       'container_format': image.get('container_format') or 'bare', 'properties': {}},
                   io.BytesIO(data), purge_props=False)

    def migrate_disk_and_power_off(self, context, instance, *args, **kwargs):
        self._set(instance, power_state.SHUTDOWN)

    def live_migration(self, context, instance, dest, post_method, recover_method, block_migration=False, migrate_data=None):
        self.orders[instance.uuid] = None
        total, begun, migration = instance.flavor.memory_mb << 20, time.time(), migrate_data.migration
        while True:
            plan, order = self._control('live_migration') or {}, self.orders.get(instance.uuid)
            done = min(1.0, (time.time() - begun) / max(plan.get('seconds', 0), 0.01))
            if plan.get('stall'):
                done = min(done, 0.6 + 0.05 * (int(time.time()) % 3))    # to and fro: the guest dirties memory too fast
            migration.memory_total, migration.memory_remaining = total, int(total * (1 - done))
            migration.memory_processed = int(total * done)
            migration.disk_total = migration.disk_processed = migration.disk_remaining = 0
            migration.save()
            if order == 'abort':
                return recover_method(context, instance, dest, migrate_data, migration_status='cancelled')
            if done >= 1 and plan.get('fail'):
                LOG.error('Live Migration failure: %s', plan['fail'], instance=instance)
                return recover_method(context, instance, dest, migrate_data)
            if done >= 1 or order == 'complete':
                return post_method(context, instance, dest, block_migration, migrate_data)
            time.sleep(0.5)

    def live_migration_abort(self, instance):
        self.orders[instance.uuid] = 'abort'

    def live_migration_force_complete(self, instance):
        self.orders[instance.uuid] = 'complete'

    def post_live_migration_at_destination(self, context, instance, *args, **kwargs):
        super().post_live_migration_at_destination(context, instance, *args, **kwargs)
        self._set(instance, instance.power_state)      # it did not boot: a paused guest stays paused, the console is empty
        open(self._file(instance, 'console.log'), 'w').close()

    def post_live_migration_at_source(self, context, instance, network_info):
        self.destroy(context, instance, network_info)  # it runs on the other host now


def _wrap(name):
    inner = getattr(LabDriver, name)

    @functools.wraps(inner)
    def method(self, *args, **kwargs):
        time.sleep(self._control('delay', name) or 0)
        text = self._control('fail', name)
        if text and name.startswith('check_can_live_migrate'):
            raise exception.MigrationPreCheckError(reason=text)
        if text:
            raise exception.NovaException(text)
        try:
            return inner(self, *args, **kwargs)
        finally:
            self._save()
    return method


for _name in FAULTS:
    setattr(LabDriver, _name, _wrap(_name))
