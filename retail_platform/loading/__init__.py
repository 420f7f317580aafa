"""The load gate: files go in, every row ends up in a raw table or in quarantine with a reason."""

from retail_platform.loading.checks import DateWindow
from retail_platform.loading.errors import LoadError
from retail_platform.loading.files import find_files
from retail_platform.loading.loader import (
    FileReport,
    LoadReport,
    Settings,
    State,
    check_folder,
    load_folder,
)
from retail_platform.loading.mapping import FileMapping, read_mapping

__all__ = [
    "DateWindow",
    "FileMapping",
    "FileReport",
    "LoadError",
    "LoadReport",
    "Settings",
    "State",
    "check_folder",
    "find_files",
    "load_folder",
    "read_mapping",
]
