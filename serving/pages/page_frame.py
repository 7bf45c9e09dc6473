"""What stands around the figures of every page: its head, the navigation, and the state of what it shows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.model.bridge import BRIDGE_DIMENSIONS
from kpi_pipeline.model.labels import LANGUAGES
from serving.access.identity import current_identity
from serving.cache_access import Connection
from serving.catalogue import Page
from serving.listing.look_up import is_list_kept
from serving.lookup_result import LookupResult
from serving.pages.addresses import (
    CERTIFICATES_PATH,
    CHANGES_PATH,
    COMPARE_PATH,
    SYSTEM_PATH,
    PageAddress,
    page_path,
)
from serving.pages.compare_links import filter_comparison
from serving.pages.context import PageContext
from serving.pages.filters.period_choice import period_choice
from serving.pages.live_state import Refreshing, live_state
from serving.pages.reading_notices import reading_notices
from serving.pages.selection import Selection, parameters_of
from serving.pages.source_notices import failing_notice, held_notice, refused_notices
from serving.pages.standing import shown_source


def page_frame(
    connection: Connection,
    pages: Sequence[Page],
    result: LookupResult,
    context: PageContext,
    refresh: Refreshing | None,
    itself: PageAddress | None = None,
) -> dict[str, Any]:
    """What the templates of all pages with figures show.

    Args:
        connection: The cache.
        pages: Those of the navigation.
        result: The figures.
        context: What the page is written with.
        refresh: The refresh that it follows; None when it follows none.
        itself: The page as it is seen, where its address in the context leaves something out.
    """
    address, writer, entry, product = context.address, context.writer, result.entry, result.lookup.product
    formats, requested = context.formats, parameters_of(context.catalogue, context.selection)
    readings = shown_source(connection, result)
    other = next(language for language in LANGUAGES if language != context.language)
    return {
        "language": context.language,
        "requested_language": address.language,
        "other_language": other,
        "other_language_url": replace(itself or address, language=other).of(requested),
        "product": product,
        "csrf": current_identity().csrf,
        "page_path": address.path,
        "links": _links(connection, pages, context),
        "live": live_state(result, refresh, writer),
        "refresh": refresh,
        "missing": result.state is AnswerState.MISSING,
        # Of figures that have no wider ones.
        "missing_text": "",
        "stale": result.state is AnswerState.STALE,
        "historic": result.state is AnswerState.HISTORIC,
        "held": held_notice(readings, writer),
        "failing": failing_notice(readings, entry.verified_at, writer),
        "readings": reading_notices(result.readings, product, pages, writer),
        # What was refused is known of the latest reading alone.
        "refused": [] if entry.rolled_back_at is not None else refused_notices(readings, writer),
        "as_of": formats.day(entry.as_of),
        "computed": context.texts["computed"].format(moment=formats.moment(entry.computed_at)),
        "system_url": PageAddress(SYSTEM_PATH, address.language).of(()),
        "when": period_choice(context),
    }


def _links(
    connection: Connection, pages: Sequence[Page], context: PageContext
) -> list[tuple[str, str, bool]]:
    """The navigation: label and address of each page under the same filter, and whether it is this one."""
    requested, here = parameters_of(context.catalogue, context.selection), context.address
    plain = replace(here, kept=())
    is_listed = here.as_of is not None and is_list_kept(connection, here.as_of, context.catalogue.as_of)
    listed_as_of = here.as_of if is_listed else None
    listed = (
        here if here.path == CERTIFICATES_PATH else replace(plain, path=CERTIFICATES_PATH, as_of=listed_as_of)
    )
    # Only lists of month ends have several filters at once.
    is_kept = here.as_of is None or len(context.selection) <= 1
    of_pages = requested if is_kept else []
    # Of the past there are no bridges.
    changes = here if here.path == CHANGES_PATH else replace(plain, path=CHANGES_PATH, as_of=None)
    single = parameters_of(context.catalogue, _single_value(context.selection))
    compared = here.of(requested) if here.path == COMPARE_PATH else filter_comparison(context)
    return [
        *(
            (context.writer.label(page), address.of(of_pages), address.path == here.path)
            for page in pages
            for address in [replace(plain, path=page_path(page.name))]
        ),
        (context.texts["changes"], changes.of(single), changes.path == here.path),
        (context.texts["compare"], compared, here.path == COMPARE_PATH),
        (context.texts["certificate_list"], listed.of(requested), listed.path == here.path),
    ]


def _single_value(selection: Selection) -> Selection:
    """The part of a filter of which there is a bridge: one value of one dimension."""
    return dict(
        [pair for pair in selection.items() if pair[0] in BRIDGE_DIMENSIONS and len(pair[1]) == 1][:1]
    )
