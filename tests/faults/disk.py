"""A small disk for some tables: a tablespace on a memory file system of a few megabytes."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path
from types import TracebackType

from faults.ground import FaultSite
from faults.outcome import Skipped
from tools.postgres import PostgresCluster

SIZE_MIB = 64


class SmallDisk:
    """Use as a context manager. Needs root and mount; raises Skipped where either is missing."""

    def __init__(self, postgres: PostgresCluster) -> None:
        self._postgres = postgres
        self._folder = postgres.folder / "small-disk"
        self._filler = self._folder / "filler"
        self._site: FaultSite | None = None

    def __enter__(self) -> SmallDisk:
        if os.geteuid() != 0:
            raise Skipped("only root may mount a small file system")
        self._folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m,mode=0755", "tmpfs", str(self._folder)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            self._folder.rmdir()
            raise Skipped(f"a small file system cannot be mounted here: {done.stderr.strip()}")
        owner = pwd.getpwnam("postgres")
        space = self._space()
        space.mkdir()
        os.chown(space, owner.pw_uid, owner.pw_gid)
        self._postgres.execute(f"CREATE TABLESPACE small LOCATION '{space}'")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.empty()
        if self._site is not None:
            self._postgres.drop_database(self._site.database)
        self._postgres.execute("DROP TABLESPACE IF EXISTS small")
        subprocess.run(["umount", str(self._folder)], stdin=subprocess.DEVNULL, check=True)
        self._folder.rmdir()

    def take_tables(self, site: FaultSite) -> None:
        """Moves the tables that deliveries are written to, and their indexes, to this disk. Nothing may use them."""
        self._site = site
        site.sql(
            "DO $$ DECLARE r record; BEGIN FOR r IN SELECT c.oid::regclass AS name, c.relkind FROM pg_class c "
            "WHERE (c.relname LIKE 'deliveries%' OR c.relname LIKE 'delivery_queue%') AND c.relkind IN ('r', 'i') "
            "AND c.relnamespace = 'public'::regnamespace LOOP EXECUTE format('ALTER %s %s SET TABLESPACE small', "
            "CASE r.relkind WHEN 'r' THEN 'TABLE' ELSE 'INDEX' END, r.name); END LOOP; END $$"
        )

    def fill(self) -> None:
        """Takes all the space that is left."""
        with open(self._filler, "wb", buffering=0) as filler:
            try:
                while filler.write(bytes(65536)):
                    pass
            except OSError:
                pass

    def empty(self) -> None:
        """Gives the space back."""
        self._filler.unlink(missing_ok=True)

    def _space(self) -> Path:
        return self._folder / "space"
