"""One simulated world in a database, never two.

Keys of two worlds overlap: loading both would replace some rows of the first and leave the others.
So a folder of the simulator is compared with its manifest before anything of it is loaded, and the
world of the manifest with the one that the database holds.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from retail_platform.loading.contents import sha256
from retail_platform.loading.errors import LoadError
from retail_platform.loading.ledger import COMPLETE, Tally
from retail_platform.loading.tables import RAW_TABLES, SALES
from retail_platform.manifests import MANIFEST, WORLD_FILES, FileEntry
from retail_platform.postgres.connection import connect
from retail_platform.targets import connection_parameters
from retail_platform.text import shown_path

# One arbitrary number: the first of the two of an advisory lock that a load of a simulated world
# holds while it runs; the second is random. Any role may take any advisory lock, so nobody waits
# for one, and only those of who may act as the loader count: as in pg_lifecycle's lock_model.
_WORLD_LOCK = 5_020_002
_SHOW_LOADING = "select pg_try_advisory_lock(%s, (random() * 2147483646)::integer)"
_ANOTHER_IS_LOADING = """
exists (
    select from pg_catalog.pg_locks
    inner join pg_catalog.pg_stat_activity on pg_stat_activity.pid = pg_locks.pid
    where pg_locks.locktype = 'advisory' and pg_locks.granted and pg_locks.objsubid = 2
        and pg_locks.database = (
            select oid from pg_catalog.pg_database where datname = current_database()
        )
        and pg_locks.classid = %(lock)s and pg_locks.pid <> pg_backend_pid()
        and pg_has_role(pg_stat_activity.usesysid, current_user, 'usage')
)
"""
_MAX_NAMED = 5


@dataclass(frozen=True)
class World:
    """A simulated world.

    Attributes:
        seed: Seed of all random streams; None if it is not known.
        scale: Volume, 1 = full.
        first: First day.
        last: Last day so far; worlds grow.
        dirty: Share of rows with a planted defect.
        model: Fingerprint of the simulator that made it, if it is known.
    """

    seed: int | None
    scale: float | None
    first: date | None
    last: date | None
    dirty: float = 0.0
    model: str | None = None

    def same_as(self, other: "World") -> bool:
        """Whether both are one world, perhaps a few days apart."""
        return (self.seed, self.scale, self.first, self.dirty) == (
            other.seed,
            other.scale,
            other.first,
            other.dirty,
        )


@dataclass(frozen=True)
class Delivered:
    """A folder of the simulator.

    Attributes:
        folder: The folder.
        world: Its world.
        files: What the manifest says of each file, by its name in the folder.
        rows: What the manifest says of each table.
    """

    folder: Path
    world: World
    files: Mapping[str, FileEntry]
    rows: Mapping[str, int]

    def entry(self, path: Path) -> FileEntry | None:
        """What the manifest says of a file in the folder; None if it does not list it."""
        return self.files.get(str(path.relative_to(self.folder)))

    @cached_property
    def sales(self) -> frozenset[str]:
        """Hashes of the files of sales."""
        return frozenset(
            entry["sha256"] for name, entry in self.files.items() if name.startswith("ventas/")
        )

    def problems(self, hashes: Mapping[Path, str], is_whole: bool) -> list[str]:
        """What differs from the manifest.

        Args:
            hashes: SHA-256 of the files of this folder that are to be loaded.
            is_whole: Whether they should be all of its files.
        """
        found = {str(path.relative_to(self.folder)): digest for path, digest in hashes.items()}
        problems = []
        for name, digest in found.items():
            if name in self.files and digest != self.files[name]["sha256"]:
                problems.append(f"{name} has other bytes than the manifest says")
            elif name not in self.files and WORLD_FILES.fullmatch(name):
                problems.append(f"{name} is not in the manifest")
        if is_whole:
            problems += [
                f"{name} is missing"
                for name, entry in self.files.items()
                if "rows" in entry and name not in found and not (self.folder / name).exists()
            ]
        return sorted(problems) + self._sums()

    def _sums(self) -> list[str]:
        """Tables of which the manifest's files do not add up to the manifest's rows."""
        if self.world.dirty:
            return []  # rows of planted defects come on top
        problems = []
        for table, rows in self.rows.items():
            listed = sum(
                entry.get("rows", 0)
                for name, entry in self.files.items()
                if name.split("/")[0].split(".")[0] == table
            )
            if listed != rows:
                problems.append(
                    f"the manifest counts {rows:,} rows of {table}, its files have {listed:,}"
                )
        return problems


def read_delivered(folder: Path) -> Delivered | None:
    """The world of a folder; None if there is no manifest of the simulator.

    Raises:
        LoadError: A manifest is there and cannot be read.
    """
    path = folder / MANIFEST
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise LoadError(
            f"{shown_path(path)} cannot be read, so nothing says whether the files beside it "
            f"belong together ({error}). Generate them again, or take it away"
        ) from error
    if not isinstance(document, dict) or "world" not in document:
        return None  # somebody else's
    try:
        world = _world(document["world"])
        files, rows = document.get("files", {}), document.get("rows", {})
        hashes = [entry["sha256"] for entry in files.values()]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LoadError(
            f"{shown_path(path)} is not a manifest of the simulator ({type(error).__name__}: "
            f"{error}). Generate the files again, or take it away"
        ) from error
    return Delivered(folder, world, files if hashes else {}, rows)


def _world(said: Mapping[str, Any]) -> World:
    first, last = date.fromisoformat(said["start"]), date.fromisoformat(said["end"])
    return World(
        int(said["seed"]),
        float(said["scale"]),
        first,
        last,
        float(said.get("dirty", 0)),
        str(said["model"]),
    )


class Deliveries:
    """The simulated worlds among the files to be loaded."""

    def __init__(self, paths: Iterable[Path]) -> None:
        """Look for the manifests beside and above the files.

        Raises:
            LoadError: A manifest cannot be read.
        """
        known: dict[Path, Delivered | None] = {}
        self._of: dict[Path, Delivered] = {}
        for path in paths:
            for folder in (path.parent, path.parent.parent):
                if folder not in known:
                    known[folder] = read_delivered(folder)
                delivered = known[folder]
                # A manifest that lists no files is of an earlier version.
                if delivered is not None and delivered.files:
                    self._of[path] = delivered
                    break

    @property
    def worlds(self) -> list[Delivered]:
        """Each once."""
        return list({delivered.folder: delivered for delivered in self._of.values()}.values())

    def entry(self, path: Path) -> FileEntry | None:
        """What its manifest says of a file; None if it has none."""
        delivered = self._of.get(path)
        return delivered.entry(path) if delivered else None

    def refuse_differences(
        self,
        hashes: Mapping[Path, str],
        sources: Iterable[Path],
        is_loaded: Callable[[str], bool] = lambda digest: False,
    ) -> None:
        """Refuse a folder that is not what its manifest says.

        Args:
            hashes: SHA-256 of every file to be loaded.
            sources: What was asked to be loaded.
            is_loaded: Whether a hash was loaded before: such a file may be gone.

        Raises:
            LoadError: It names the files.
        """
        wholes = {source.resolve() for source in sources}
        for delivered in self.worlds:
            own = {p: digest for p, digest in hashes.items() if self._of.get(p) is delivered}
            problems = [
                problem
                for problem in delivered.problems(own, delivered.folder.resolve() in wholes)
                if not (
                    problem.endswith(" is missing")
                    and is_loaded(delivered.files[problem.removesuffix(" is missing")]["sha256"])
                )
            ]
            if problems:
                more = f" and {len(problems) - _MAX_NAMED} more" if problems[_MAX_NAMED:] else ""
                raise LoadError(
                    f"{shown_path(delivered.folder)} is not what its {MANIFEST} says, so nothing "
                    f"was loaded: {'; '.join(problems[:_MAX_NAMED])}{more}. Generate it again with "
                    "the same settings (make generate), or take the files out that do not belong "
                    "there"
                )


def refuse_other_content(tally: Tally, entry: FileEntry | None) -> None:
    """Refuse a file of which other rows or days were read than its manifest says.

    Raises:
        LoadError: It says what was expected.
    """
    if entry is None or "rows" not in entry:
        return
    if tally.delivered != entry["rows"]:
        raise LoadError(
            f"{tally.delivered:,} rows were read, its {MANIFEST} says {entry['rows']:,}"
        )
    days = f"{tally.first} to {tally.last}"
    said = f"{entry.get('first_day')} to {entry.get('last_day')}"
    if "first_day" in entry and not tally.rejected and days != said:
        raise LoadError(f"its days are {days}, its {MANIFEST} says {said}")


def claim(connection: Connection, delivered: Delivered) -> None:
    """Note that a database holds a world, or refuse another one than it holds.

    Holds a lock until the session ends, so that two worlds that are loaded into an empty database
    at the same time do not both find it empty.

    Args:
        connection: A session outside a transaction, which lasts as long as the load.
        delivered: What is to be loaded.

    Raises:
        LoadError: The database holds another world.
    """
    world = delivered.world
    with connection, connection.cursor() as cursor:
        _show_loading(cursor)
        held = _loaded_world(cursor, delivered.sales, world)
        if held is not None:
            if not held.same_as(world):
                raise LoadError(_refusal("the database", held, world))
            if held.model != world.model and not _shares_sales(cursor, delivered.sales):
                raise LoadError(
                    "the database holds a world of the same settings that another version of the "
                    "simulator made, and none of its months of sales is the same: the two would "
                    f"mix. {_START_ANEW}"
                )
        cursor.execute(
            f"""
            insert into staging.mundo as m
                (semilla, escala, primer_dia, ultimo_dia, sucio, modelo, cargado_en)
            values (%(seed)s, %(scale)s, %(first)s, %(last)s, %(dirty)s, %(model)s, now())
            on conflict (unico) do update
            set semilla = excluded.semilla, escala = excluded.escala,
                primer_dia = excluded.primer_dia, sucio = excluded.sucio,
                modelo = excluded.modelo, cargado_en = excluded.cargado_en,
                ultimo_dia = case
                    when %(goes_on)s then greatest(m.ultimo_dia, excluded.ultimo_dia)
                    else excluded.ultimo_dia
                end
            where %(goes_on)s or not {_ANOTHER_IS_LOADING}
                or (m.semilla, m.escala, m.primer_dia, m.sucio)
                    = (excluded.semilla, excluded.escala, excluded.primer_dia, excluded.sucio)
            returning true
            """,
            vars(world) | {"goes_on": held is not None, "lock": _WORLD_LOCK},
        )
        if cursor.fetchone() is None:
            raise LoadError(
                "another simulated world is being loaded into this database at this moment: choose "
                "another database, or wait and see"
            )


def _show_loading(cursor: Cursor) -> None:
    """Let others see, until the session ends, that it loads a simulated world."""
    taken = False
    while not taken:  # the number is somebody else's: another one is not
        cursor.execute(_SHOW_LOADING, (_WORLD_LOCK,))
        ((taken,),) = cursor.fetchall()


def refuse_other_world(target: str, wanted: World | None, data: Path) -> None:
    """Stop before files of a simulated world are made or loaded over those of another.

    Args:
        target: A target of profiles.yml.
        wanted: The world that is asked for; None stands for the one in the folder.
        data: The simulator's folder.

    Raises:
        LoadError: Another world is loaded in the target.
    """
    delivered = read_delivered(data)
    with closing(connect(connection_parameters(target))) as session, session.cursor() as cursor:
        hashes = _hashes_of_sales(data)
        held = _loaded_world(cursor, hashes, delivered.world if delivered else None)
        if held is None:
            return
        if wanted is None and delivered is None and _shares_sales(cursor, hashes):
            return  # the same files, whatever world they are of
    asked = wanted or (delivered.world if delivered else World(None, None, None, None))
    if not held.same_as(asked):
        raise LoadError(_refusal(f"target '{target}'", held, asked, data))


def _hashes_of_sales(data: Path) -> frozenset[str]:
    """Hashes of the files of sales in a folder of the simulator, as they are on the disk."""
    names = sorted((data / "ventas").glob("*")) if (data / "ventas").is_dir() else []
    return frozenset(sha256(path)[0] for path in names if path.is_file())


def _loaded_world(
    cursor: Cursor, sales: frozenset[str], of_sales: World | None = None
) -> World | None:
    """The world that a database holds; None if it holds none.

    Args:
        cursor: Of a session.
        sales: Hashes of files of sales.
        of_sales: The world that these belong to, for a database that was loaded before worlds were
            noted.
    """
    cursor.execute("select to_regclass('staging.cargas') is null")
    if cursor.fetchone() == (True,):
        return None
    cursor.execute(
        "select min(fecha_min), max(fecha_max), count(*) from staging.cargas "
        "where tabla = %s and estado = %s",
        (SALES.name, COMPLETE),
    )
    ((first, last, loads),) = cursor.fetchall()
    noted = _noted_world(cursor)
    if noted is not None and _any_load(cursor):
        return noted
    if not loads:
        return None
    if of_sales is not None and _shares_sales(cursor, sales):
        return of_sales
    return World(None, None, first, last)


def _noted_world(cursor: Cursor) -> World | None:
    cursor.execute("select to_regclass('staging.mundo') is null")
    if cursor.fetchone() == (True,):
        return None
    cursor.execute(
        "select semilla, escala, primer_dia, ultimo_dia, sucio, modelo from staging.mundo"
    )
    row = cursor.fetchone()
    return World(int(row[0]), *row[1:]) if row else None


def _any_load(cursor: Cursor) -> bool:
    """Whether anything was loaded: a load that failed as a whole leaves only its note."""
    cursor.execute(
        "select exists (select from staging.cargas where tabla = any(%s) and estado = %s)",
        (list(RAW_TABLES), COMPLETE),
    )
    return cursor.fetchone() == (True,)


def _shares_sales(cursor: Cursor, hashes: frozenset[str]) -> bool:
    """Whether a file of sales was loaded byte for byte."""
    cursor.execute(
        "select exists (select from staging.cargas "
        "where tabla = %s and estado = %s and sha256 = any(%s))",
        (SALES.name, COMPLETE, list(hashes)),
    )
    return cursor.fetchone() == (True,)


_START_ANEW = (
    "To start anew: make clean-db (target local; elsewhere drop the schemas staging, retail and "
    "cuarentena), then the same command again."
)


def _refusal(place: str, held: World, asked: World, data: Path | None = None) -> str:
    """Both worlds side by side, and the ways out."""
    lines = [
        ("", "loaded there", "asked for"),
        ("seed", _shown(held.seed), _shown(asked.seed)),
        ("scale", _shown(held.scale), _shown(asked.scale)),
        ("first day", _shown(held.first), _shown(asked.first)),
        ("last day", _shown(held.last), _shown(asked.last)),
    ]
    if held.dirty or asked.dirty:
        lines.append(("planted defects", f"{held.dirty:g}", f"{asked.dirty:g}"))
    table = "\n".join(f"  {name:16}{one:16}{two}".rstrip() for name, one, two in lines)
    kept = f" Nothing was generated or loaded, {data} is as it was." if data else ""
    go_on = ""
    if held.seed is not None and not held.dirty:
        go_on = (
            f"\nTo go on with the loaded world: make build SEED={held.seed} SCALE={held.scale:g} "
            f"END_DATE={held.last} (or a later day)"
        )
    return (
        f"{place} holds another simulated world than the one asked for, and the two would mix."
        f"{kept}\n{table}\n{_START_ANEW}{go_on}"
    )


def _shown(value: object) -> str:
    match value:
        case None:
            return "unknown"
        case float():
            return f"{value:g}"
        case _:
            return str(value)
