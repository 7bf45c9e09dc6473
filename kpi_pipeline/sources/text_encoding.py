"""The encoding of a text file: told by its first bytes, else as the mapping declares."""

import codecs
import re
from pathlib import Path
from typing import Final

from kpi_pipeline.sources.errors import SourceError

_MARKS: Final = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_BEGINNING: Final = 4096
_BLOCK: Final = 1 << 20
_CONTROL: Final = re.compile("[\x80-\x9f]")
_WORD_WITH_CONTROL: Final = re.compile('[^,;\t|\r\n"]*[\x80-\x9f][^,;\t|\r\n"]*')
_NOT_ASCII: Final = re.compile('[^,;\t|\r\n"]*[^\x00-\x7f][^,;\t|\r\n"]*')
_WINDOWS: Final = "cp1252"


def file_encoding(path: Path, declared: str | None) -> str:
    """The encoding of a file.

    A byte order mark goes before what is declared, and so does text that is UTF-8 beyond ASCII: in another
    encoding of Latin letters its bytes would be nonsense. Without a mark and a declaration, zero bytes at
    every second place tell UTF-16, and anything else is read as UTF-8.

    Args:
        path: The file.
        declared: The encoding that the mapping declares; None where it does not.
    """
    with path.open("rb") as file:
        beginning = file.read(_BEGINNING)
    for mark, encoding in _MARKS.items():
        if beginning.startswith(mark):
            return encoding
    if declared is not None:
        name = codecs.lookup(declared).name
        return "utf-8" if name != "utf-8" and _is_utf8_beyond_ascii(path) else name
    if b"\0" in beginning:
        return "utf-16-le" if beginning[1:2] == b"\0" else "utf-16-be"
    return "utf-8"


def _is_utf8_beyond_ascii(path: Path) -> bool:
    decoder, is_beyond = codecs.getincrementaldecoder("utf-8")(), False
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                if b"\0" in block:
                    return False
                is_beyond |= not block.isascii()
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return is_beyond


def transcoded(path: Path, encoding: str) -> bytes:
    """The content of a file as UTF-8.

    Raises:
        UnicodeDecodeError: If it is not text of that encoding.
        SourceError: If it holds control characters that no name has: then the encoding is another.
    """
    text = path.read_bytes().decode(encoding)
    if found := _CONTROL.search(text):
        word = _WORD_WITH_CONTROL.search(text)
        shown = word[0] if word else found[0]
        raise SourceError(
            f"{path} read as {encoding} holds control characters (U+{ord(found[0]):04X} in {shown!r}): its "
            f"encoding is another. {_advice(path)}"
        )
    return text.encode()


def wrong_encoding(path: Path, declared: str | None) -> SourceError:
    """The error of a file that is not text of its encoding; says what to write into the mapping."""
    return SourceError(f"{path} is not {file_encoding(path, declared)} text. {_advice(path)}")


def _advice(path: Path) -> str:
    other = (
        'Write the name of its encoding under [source] in the mapping file, such as encoding = "cp850", '
        "or save the file as UTF-8"
    )
    try:
        text = path.read_bytes().decode(_WINDOWS)
    except UnicodeDecodeError:
        return other
    word = _NOT_ASCII.search(text)
    shown = f" (it then holds {word[0].strip()!r})" if word else ""
    return (
        f'Write encoding = "{_WINDOWS}" under [source] in the mapping file, as Excel saves{shown}; '
        "or save the file as UTF-8"
    )
