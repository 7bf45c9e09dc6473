"""What is computed for a generation of a product, of the whole firm or of a scope, and how it is written."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from kpi_pipeline.assets.certificate_blocks import CertificateList
from kpi_pipeline.assets.figures import Figures
from kpi_pipeline.assets.generation_entry import inputs_digest
from kpi_pipeline.assets.generation_variants import GenerationVariants
from kpi_pipeline.assets.generation_writing import write_generation
from kpi_pipeline.assets.reuse import basis_digest, write_plan
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.publishing.publisher import NO_ATTACHMENTS, Attachments, Publisher, Staged


@dataclass(frozen=True)
class ComputedGeneration:
    """A generation before it is written.

    Attributes:
        product: What it answers.
        figures: Where its sums come from.
        variants: All its variants.
        listed: The list of certificates that it holds; None where it holds none.
    """

    product: str
    figures: Figures
    variants: GenerationVariants
    listed: CertificateList | None

    @cached_property
    def inputs(self) -> str:
        """The digest of `inputs_digest`."""
        return inputs_digest(
            self.product,
            self.figures.reading,
            self.variants.difference,
            self.figures.described,
            "" if self.listed is None else self.listed.digest,
        )

    @cached_property
    def basis(self) -> str:
        """The digest of `basis_digest`."""
        return basis_digest(self.product, self.figures.cube, self.figures.described)

    def write(
        self,
        publisher: Publisher,
        origin: ManifestEntry | None,
        damaged: frozenset[str],
        expires_at: float,
        extend_lease: Callable[[], object],
    ) -> tuple[Staged, list[str]]:
        """Write it, reusing what is the same; see `write_generation`.

        Args:
            publisher: Writes the cache.
            origin: The generation from which is reused; None where all is written.
            damaged: Names of what is gone or corrupt of it.
            expires_at: When its keys expire, in seconds since the epoch.
            extend_lease: Extends the lease of the product.
        """

        def attachments(reuses: bool) -> Attachments:
            if self.listed is None:
                return NO_ATTACHMENTS
            return self.listed.attachments(publisher, origin if reuses else None, damaged)

        plan = write_plan(self.product, self.figures, self.variants, origin, self.basis, damaged)
        return write_generation(
            self.product, publisher, plan, self.figures.described, expires_at, extend_lease, attachments
        )
