"""Files and folders where Spark reads and writes: on a disk, or in any store that Hadoop knows by its address.

storage = Storage(spark)
storage.address("out")            # file:///home/…/out
storage.address("s3a://b/out")    # the same
"""

from __future__ import annotations

import re
import shutil
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

_PARTITION = 64 << 20  # bytes of Parquet, at most, that one task reads of files larger than that

_STORES = {
    "abfs", "abfss", "cosn", "dbfs", "gs", "hdfs", "obs", "ofs", "oss", "s3", "s3a", "swift", "viewfs",
    "wasb", "wasbs", "webhdfs",
}  # fmt: skip


def is_store(path: str) -> bool:
    """Whether a path is an address that a mapping may read: in a store, not on the web and not
    elsewhere on a machine.
    """
    return path.partition("://")[0].lower() in _STORES and is_remote(path)


def is_remote(path: str) -> bool:
    """Whether a path is an address in a store."""
    return "://" in path


def is_hidden(name: str) -> bool:
    """Whether Spark leaves a file of this name out, without a message; it does so also with a file
    that it is asked for.

    >>> is_hidden("_people.csv"), is_hidden("people.csv")
    (True, False)
    """
    return name.startswith(("_", ".")) or name.endswith("._COPYING_")


def is_on_disk(where: str) -> bool:
    """Whether an address is that of a file or folder on a disk."""
    return where.startswith("file:")


def address(path: str | Path) -> str:
    """The address of a path; that of a store stays as it is."""
    text = str(path)
    return text if is_remote(text) else f"file://{Path(text).absolute()}"


def pattern(path: str | Path) -> str:
    """The address of one file or folder as readers take it: in its name, signs that stand for
    others in an address stand for themselves.
    """
    return re.sub(r"([][{}*?,\\])", r"\\\1", address(path))


def local_path(where: str) -> str:
    """The path of an address on this machine."""
    return where.removeprefix("file://")


@lru_cache(maxsize=1)
def _for_stored_rows(spark: SparkSession) -> SparkSession:
    """A session with the same settings, but for the bytes into which Spark divides files: a task
    opens a file, and reads its footer, once for each of these pieces.
    """
    java: Any = spark
    session = type(spark)(spark.sparkContext, java._jsparkSession.cloneSession())
    session.conf.set("spark.sql.files.maxPartitionBytes", str(_PARTITION))
    return session


class Storage:
    """Looks at, renames and removes files and folders by their addresses."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self._java: Any = spark.sparkContext._jvm
        self._configuration: Any = spark.sparkContext._jsc.hadoopConfiguration()

    def _path(self, where: str) -> Any:
        return self._java.org.apache.hadoop.fs.Path(where)

    def _system(self, where: str) -> Any:
        return self._path(where).getFileSystem(self._configuration)

    def exists(self, where: str) -> bool:
        """Whether there is a file or folder."""
        return bool(self._system(where).exists(self._path(where)))

    def is_file(self, where: str) -> bool:
        """Whether there is a file of this address."""
        return self.exists(where) and bool(
            self._system(where).getFileStatus(self._path(where)).isFile()
        )

    def remove(self, where: str) -> None:
        """Removes a file, or a folder with all in it."""
        self._system(where).delete(self._path(where), True)

    def create_folder(self, where: str) -> None:
        """Creates a folder and those above it."""
        self._system(where).mkdirs(self._path(where))

    def create_file(self, where: str) -> None:
        """Creates an empty file."""
        if is_on_disk(where):
            Path(local_path(where)).touch()
            return
        self._system(where).create(self._path(where)).close()

    def entries(self, folder: str) -> list[tuple[str, bool]]:
        """The names in a folder, also of hidden files, and which are those of folders."""
        listed = self._system(folder).listStatus(self._path(folder))
        return sorted((str(item.getPath().getName()), bool(item.isDirectory())) for item in listed)

    def rename(self, old: str, new: str) -> None:
        """Renames a file or folder. Raises OSError where the store refuses.

        On a disk, the checksums that Hadoop writes beside files (`.part-0.crc`) do not come along.
        """
        if is_on_disk(old) and is_on_disk(new):
            Path(local_path(old)).rename(local_path(new))
            return
        if not self._system(old).rename(self._path(old), self._path(new)):
            raise OSError(f"{old} cannot be renamed to {new}")

    def bring(self, where: str, path: Path) -> None:
        """Moves a file to a path of this machine."""
        if where.startswith("file:"):
            shutil.move(local_path(where), path)
        else:
            self._system(where).copyToLocalFile(True, self._path(where), self._path(str(path)))

    def take(self, path: Path, where: str) -> None:
        """Moves a file of this machine to an address."""
        folder = where.rpartition("/")[0]
        self.create_folder(folder)
        if where.startswith("file:"):
            shutil.move(path, local_path(where))
        else:
            self._system(where).copyFromLocalFile(True, self._path(str(path)), self._path(where))

    def files(self, folder: str) -> list[tuple[str, int]]:
        """The files in a folder by name, with their sizes in bytes."""
        listed = self._system(folder).listStatus(self._path(folder))
        return sorted(
            (str(item.getPath().getName()), int(item.getLen())) for item in listed if item.isFile()
        )

    def rows(self, *wheres: str, schema: StructType | str | None = None) -> DataFrame:
        """The rows of Parquet files that a run has stored, by the addresses of folders or files: a
        partition for each file, more for large ones, however finely sources are divided.
        """
        sizes = [
            size for where in wheres for name, size in self.files(where) if not is_hidden(name)
        ]
        spark = _for_stored_rows(self._spark)
        reader = spark.read if schema is None else spark.read.schema(schema)
        data = reader.parquet(*map(pattern, wheres))
        return data.coalesce(max(1, sum(-(-size // _PARTITION) for size in sizes)))
