"""The software bill of materials of what `requirements.lock` installs, as CycloneDX 1.6: `sbom.py LOCK FILE`.

It names each package that the lock may install, on any platform, with the hashes of its files, and which of
them the project itself asks for. The same lock gives the same bytes: no time, no serial number.
"""

import sys
import tomllib
from pathlib import Path
from typing import Any

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.bom_ref import BomRef
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseAcknowledgement, LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pip_requirements_parser import InstallRequirement, RequirementsFile

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"


def main() -> None:
    """Write the bill of the lock `sys.argv[1]` to the file `sys.argv[2]`."""
    project = tomllib.loads(PROJECT.read_text())["project"]
    lock = RequirementsFile.from_file(sys.argv[1])
    if lock.invalid_lines:
        raise SystemExit(f"{sys.argv[1]} is no lock: {lock.invalid_lines[0]}")
    written = make_outputter(bill(project, lock), OutputFormat.JSON, SchemaVersion.V1_6)
    Path(sys.argv[2]).write_text(written.output_as_string(indent=2) + "\n")


def bill(project: dict[str, Any], lock: RequirementsFile) -> Bom:
    """The bill of a project, which is the `project` table of `pyproject.toml`, and of what its lock pins."""
    bom = Bom()
    # The class fills both in; the standard demands neither.
    bom.serial_number = None  # type: ignore[assignment]
    bom.metadata.timestamp = None  # type: ignore[assignment]
    bom.metadata.component = root = Component(
        type=ComponentType.APPLICATION,
        name=project["name"],
        version=project["version"],
        description=project["description"],
        licenses=[LicenseExpression(project["license"], acknowledgement=LicenseAcknowledgement.DECLARED)],
        bom_ref=BomRef(project["name"]),
    )
    # A lock may pin one package twice, for different platforms.
    components = [_component(pinned) for pinned in lock.requirements]
    bom.components.update(components)
    asked_for = {canonicalize_name(Requirement(written).name) for written in project["dependencies"]}
    bom.register_dependency(root, [component for component in components if component.name in asked_for])
    return bom


def _component(pinned: InstallRequirement) -> Component:
    name = canonicalize_name(pinned.name)
    purl = PackageURL("pypi", name=name, version=pinned.get_pinned_version)
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=text.split(":")[1]) for text in pinned.hash_options]
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(purl.to_string()),
        comment="a file with one of these hashes",
        hashes=hashes,
    )
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=purl.version,
        purl=purl,
        external_references=[files],
        bom_ref=BomRef(purl.to_string()),
    )


if __name__ == "__main__":
    main()
