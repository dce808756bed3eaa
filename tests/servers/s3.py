"""A private S3-compatible store: OpenStack Swift with its s3api, from Debian's packages."""

import os
import signal
import subprocess
from collections.abc import Mapping
from functools import partial
from itertools import count
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from scenescore_shared.adapters.s3 import make_client
from servers.process import ServerMissingError, ServerProcess, find_program, free_port, listens

_SWIFT_CONF = Path("/etc/swift/swift.conf")
_HASH_CONF = """[swift-hash]
swift_hash_path_prefix = scene
swift_hash_path_suffix = score
[storage-policy:0]
name = default
default = yes
"""
_KINDS = ("account", "container", "object")
# Debian's own Python runs Swift, whatever environment the tests run in
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
_RINGS = """
import sys
from swift.common.ring import RingBuilder

for kind, port in zip(sys.argv[1::2], sys.argv[2::2]):
    ring = RingBuilder(4, 1, 1)
    device = {"region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port), "device": "d1", "weight": 100}
    ring.add_dev(device)
    ring.rebalance()
    ring.get_ring().save(kind + ".ring.gz")
"""

_STORAGE_SERVER = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 1
user = {user}
swift_dir = {etc}
devices = {objects}
mount_check = false
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
_PROXY_SERVER = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 1
user = {user}
swift_dir = {etc}
[pipeline:main]
pipeline = catch_errors cache listing_formats bulk s3api tempauth slo dlo proxy-server
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
"""


class S3:
    region = "us-east-1"
    access_key_id = "test:tester"
    secret_access_key = "testing"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port, self._memcached = free_port(), free_port()
        self._names = count(1)
        self._etc = folder / "etc"
        programs = {kind: find_program(f"swift-{kind}-server") for kind in (*_KINDS, "proxy")}
        memcached = find_program("memcached")
        _write_hash_conf()
        user = subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()
        (folder / "objects" / "d1").mkdir(parents=True)
        self._etc.mkdir()
        ports = {kind: free_port() for kind in _KINDS}
        for kind, port in ports.items():
            conf = _STORAGE_SERVER.format(
                kind=kind, port=port, user=user, etc=self._etc, objects=folder / "objects"
            )
            (self._etc / f"{kind}-server.conf").write_text(conf)
        _make_rings(self._etc, ports)
        proxy = _PROXY_SERVER.format(port=self._port, user=user, etc=self._etc, memcached=self._memcached)
        (self._etc / "proxy-server.conf").write_text(proxy)
        commands = [[memcached, "-u", user, "-l", "127.0.0.1", "-p", str(self._memcached)]]
        commands += [[path, str(self._etc / f"{kind}-server.conf")] for kind, path in programs.items()]
        self._ports = [self._memcached, *ports.values(), self._port]
        self._servers = [
            ServerProcess(command, log=folder / f"{Path(command[0]).name}.log", environment=_ENVIRONMENT)
            for command in commands
        ]

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        for server in self._servers:
            if not server.running:
                server.start()
        for server, port in zip(self._servers, self._ports, strict=True):
            server.wait_until(partial(listens, port))
        # the servers listen before they can do anything
        self._servers[-1].wait_until(self._answers)

    def stop(self) -> None:
        for server in self._servers:
            server.send()
        for server in self._servers:
            server.wait()

    def kill(self) -> None:
        """Its door is gone: the servers behind it, which nobody reaches otherwise, stay."""
        self._servers[-1].stop(signal.SIGKILL)

    @property
    def running(self) -> bool:
        return all(server.running for server in self._servers)

    def freeze(self) -> None:
        """It keeps its connections and answers nothing."""
        self._servers[-1].freeze()

    def thaw(self) -> None:
        self._servers[-1].thaw()

    def is_waited_for(self) -> bool:
        """Whether a request has come to its door that it has not read: while it is frozen."""
        return any(unread for port, unread in _unread_bytes() if port == self._port)

    def _answers(self) -> bool:
        client = make_client(
            endpoint_url=self.endpoint_url,
            region=self.region,
            access_key_id=self.access_key_id,
            secret_access_key=self.secret_access_key,
        )
        try:
            client.list_buckets()
        except (ClientError, BotoCoreError):
            return False
        finally:
            client.close()
        return True

    def new_bucket_name(self) -> str:
        return f"scenescore-{next(self._names)}"


def _unread_bytes() -> list[tuple[int, int]]:
    """By local port: what has come over TCP and nobody has read, as the kernel tells."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    fields = [line.split() for line in lines]
    # the fields: number, local address, remote address, state (01: established), queues as sent:received, …
    return [
        (int(line[1].split(":")[1], 16), int(line[4].split(":")[1], 16)) for line in fields if line[3] == "01"
    ]


def _make_rings(folder: Path, ports: Mapping[str, int]) -> None:
    """In one process: `swift-ring-builder` would have to be started nine times, most of a second each."""
    arguments = [str(word) for kind_and_port in ports.items() for word in kind_and_port]
    subprocess.run(
        ["/usr/bin/python3", "-c", _RINGS, *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        env=_ENVIRONMENT,
    )


def _write_hash_conf() -> None:
    """Swift reads the prefix of its hashes from one fixed place only; whatever stands there already will do."""
    if _SWIFT_CONF.exists():
        return
    if os.getuid() != 0:
        raise ServerMissingError(f"Swift needs {_SWIFT_CONF}, which only root can write")
    _SWIFT_CONF.parent.mkdir(parents=True, exist_ok=True)
    _SWIFT_CONF.write_text(_HASH_CONF)
