"""The source database as assets see it."""

from datetime import date

from dagster import ConfigurableResource, Failure

from kpi_pipeline.compute.ingest.refusals import RefusalLimits
from kpi_pipeline.model.mapping import MappingError, SourceMapping
from kpi_pipeline.model.thresholds import Thresholds
from kpi_pipeline.resources.changed_rows import follows_changes
from kpi_pipeline.settings import current_settings
from kpi_pipeline.sources.change_detection import Probe, change_token, is_of_files, probe
from kpi_pipeline.sources.csv_paths import is_csv
from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.sources.extract import Extract, extract
from kpi_pipeline.sources.mapping_files import load_mapping
from kpi_pipeline.sources.readings_file import ReadingsFile
from kpi_pipeline.sources.selection import masked_url


class SourceResource(ConfigurableResource[None]):
    """The chosen source, its mapping and the settings that give it meaning.

    Settings are read at each call: the chosen source may change while a worker lives.
    """

    def mapping(self) -> SourceMapping:
        """The mapping of the chosen source.

        Raises:
            Failure: If the mapping file is missing or malformed; not retried.
        """
        try:
            return load_mapping(current_settings().source_mapping)
        except MappingError as error:
            raise Failure(str(error), allow_retries=False) from error

    def extract(self, mapping: SourceMapping) -> Extract:
        """Read all rows of the source.

        Raises:
            Failure: If no source is chosen or it cannot be read; the message advises.
        """
        url = current_settings().source_url
        if url is None:
            raise Failure(
                "no source is chosen: run `kpi load demo`, or `kpi load` with your own database or file",
                allow_retries=False,
            )
        try:
            return extract(url.get_secret_value(), mapping)
        except SourceError as error:
            raise Failure(str(error)) from error

    def database_url(self) -> str | None:
        """The address of a database of which changed rows alone can be read; None of any other source."""
        url = current_settings().source_url
        address = None if url is None else url.get_secret_value()
        if address is None or is_csv(address) or not follows_changes(address):
            return None
        return address

    def is_of_server(self) -> bool:
        """Whether the source is a database server."""
        url = current_settings().source_url
        return url is not None and not is_of_files(url.get_secret_value())

    def is_chosen(self) -> bool:
        """Whether a source is chosen at all."""
        return current_settings().source_url is not None

    def probe(self, before: Probe | None) -> Probe:
        """Check whether the source has changed, without reading it all.

        Args:
            before: The probe before this one, of the same source and mapping.

        Raises:
            SourceError: If no source is chosen or it cannot be read; the message advises.
            MappingError: If the mapping file is missing or malformed.
        """
        settings = current_settings()
        if settings.source_url is None:
            raise SourceError("no source is chosen: run `kpi load`")
        return probe(settings.source_url.get_secret_value(), load_mapping(settings.source_mapping), before)

    def change_token(self, mapping: SourceMapping) -> str | None:
        """A text that stays the same only while the source holds the same; None where it cannot tell.

        Args:
            mapping: Its mapping.
        """
        url = current_settings().source_url
        if url is None:
            return None
        try:
            return change_token(url.get_secret_value(), mapping)
        except SourceError:
            # The reading that follows says what is wrong.
            return None

    def identity(self) -> str:
        """The source's address without its password, and the mapping's name."""
        return f"{self.shown()} by {current_settings().source_mapping}"

    def shown(self) -> str:
        """The source's address without its password."""
        url = current_settings().source_url
        return "none" if url is None else masked_url(url.get_secret_value())

    def today(self) -> date:
        """The business date against which ageing is measured."""
        return current_settings().today()

    def timezone(self) -> str:
        """The zone of calendar days."""
        return current_settings().timezone

    def thresholds(self) -> Thresholds:
        """The thresholds of the KPI definitions."""
        settings = current_settings()
        return Thresholds(
            critical_days=settings.critical_days,
            payment_term_days=settings.payment_term_days,
            fast_days=settings.fast_days,
            loss_days=settings.loss_days,
            dso_target_days=settings.dso_target_days,
            dso_benchmark_days=settings.dso_benchmark_days,
            stable_share=settings.stable_share,
            amount_cuts=settings.amount_cuts,
            targets=settings.monthly_targets,
        )

    def window_months(self) -> int:
        """Months of the window over which flows are summed."""
        return current_settings().window_months

    def refusal_limits(self) -> RefusalLimits:
        """What may be refused of a reading that is published."""
        settings = current_settings()
        return RefusalLimits(settings.max_rejected_share, settings.max_rejected_amount_share)

    def max_fall_share(self) -> float:
        """Share of rows or amount by which a reading may fall below the last accepted one."""
        return current_settings().max_fall_share

    def readings_file(self) -> ReadingsFile:
        """The last accepted reading of the chosen source, and one that is held."""
        return ReadingsFile(current_settings())
