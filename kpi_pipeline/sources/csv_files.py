"""CSV files, every column as text; the mapping gives cells their meaning."""

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from kpi_pipeline.model.mapping import SourceMapping
from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.relations import check_columns


def read_csv(path: Path, mapping: SourceMapping) -> pa.Table:
    """Read the mapping's columns of a CSV file with a header line, as text in the mapping's order.

    Raises:
        SourceError: If the file is missing, is not valid CSV or lacks a column; or if the mapping names
            what only a database has.
    """
    source = mapping.source
    database_settings = {
        "source.table": source.table,
        "source.query": source.query,
        "[log]": mapping.log,
        "[costs]": mapping.costs,
    }
    if impossible := [name for name, value in database_settings.items() if value]:
        raise SourceError(
            f"{path} is a CSV file, but mapping {mapping.name!r} reads a database ({', '.join(impossible)}): "
            "choose another mapping, or a database URL such as sqlite:///path/to/file.db"
        )
    try:
        header = _header(path, mapping)
        check_columns(str(path), mapping.source_columns, header)
        return pacsv.read_csv(
            path,
            read_options=pacsv.ReadOptions(encoding=source.encoding),
            parse_options=pacsv.ParseOptions(delimiter=source.delimiter, newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()),
                include_columns=list(mapping.source_columns),
            ),
        )
    except FileNotFoundError:
        raise SourceError(f"there is no file {path}; check the path") from None
    except UnicodeDecodeError:
        raise _wrong_encoding(path, mapping) from None
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}; check its permissions") from None
    except (pa.ArrowInvalid, csv.Error) as error:
        if "UTF8" in str(error):
            raise _wrong_encoding(path, mapping) from None
        raise SourceError(
            f"{path} is not a well-formed CSV file: {str(error).splitlines()[0]}. Correct the file, "
            f"or source.delimiter ({source.delimiter!r}) in the mapping file"
        ) from None


def _header(path: Path, mapping: SourceMapping) -> list[str]:
    # utf-8-sig drops the byte order mark that spreadsheets write, as Arrow does.
    encoding = "utf-8-sig" if mapping.source.encoding == "utf-8" else mapping.source.encoding
    with path.open(encoding=encoding, newline="") as file:
        header = next(csv.reader(file, delimiter=mapping.source.delimiter), None)
    if not header:
        raise SourceError(f"{path} is empty; its first line must name the columns")
    return header


def _wrong_encoding(path: Path, mapping: SourceMapping) -> SourceError:
    return SourceError(
        f"{path} is not {mapping.source.encoding} text; set source.encoding in the mapping file "
        '("utf-8" or "latin-1"), or save the file as UTF-8'
    )
