"""The kinds of problem that serving reports: stable names, titles and what to do about each."""

from typing import Final

from serving.problem_types import access, figures, requests
from serving.problem_types.access import (
    FORM_EXPIRED,
    NOT_PERMITTED,
    PASSWORD_NEEDED,
    SCOPE_UNKNOWN,
    SIGN_IN_NEEDED,
    SIGN_IN_UNAVAILABLE,
    TOO_MANY_REQUESTS,
)
from serving.problem_types.entry import ProblemType
from serving.problem_types.figures import (
    BRIDGE_NOT_KEPT,
    CACHE_EMPTY,
    CACHE_UNAVAILABLE,
    CERTIFICATE_UNKNOWN,
    EXPIRED,
    FILTER_CONFLICT,
    FILTER_NOT_KEPT,
    FILTER_ROLLED_BACK,
    INVALID_BRIDGE_PARAMETER,
    INVALID_COMPARISON,
    INVALID_DATE,
    INVALID_LIST_PARAMETER,
    LIST_NOT_KEPT,
    NO_DOCUMENTS,
    NO_MONTH_END,
    NO_MONTH_ENDS,
    NOT_READY,
    PROFILE_UNKNOWN,
    REQUEST_UNKNOWN,
    SPEC_UNKNOWN,
    TOO_MANY_LISTENERS,
    UNKNOWN_DOWNLOAD,
    UNKNOWN_FILTER,
    UNKNOWN_FILTER_VALUE,
    UNKNOWN_LANGUAGE,
    UNTRUSTED_HOST,
)
from serving.problem_types.requests import (
    BODY_TOO_LARGE,
    CROSS_SITE,
    INTERNAL,
    INVALID_NUMBER,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    REQUEST_REFUSED,
    SIGNATURE_INVALID,
    TOKEN_NEEDED,
    UNKNOWN_PRODUCT,
    UNREADABLE_FORM,
    UNSUPPORTED_BODY,
    WEBHOOK_OFF,
)

__all__ = [
    "BODY_TOO_LARGE",
    "BRIDGE_NOT_KEPT",
    "CACHE_EMPTY",
    "CACHE_UNAVAILABLE",
    "CERTIFICATE_UNKNOWN",
    "CROSS_SITE",
    "EXPIRED",
    "FILTER_CONFLICT",
    "FILTER_NOT_KEPT",
    "FILTER_ROLLED_BACK",
    "FORM_EXPIRED",
    "INTERNAL",
    "INVALID_BRIDGE_PARAMETER",
    "INVALID_COMPARISON",
    "INVALID_DATE",
    "INVALID_LIST_PARAMETER",
    "INVALID_NUMBER",
    "LIST_NOT_KEPT",
    "METHOD_NOT_ALLOWED",
    "NOT_FOUND",
    "NOT_PERMITTED",
    "NOT_READY",
    "NO_DOCUMENTS",
    "NO_MONTH_END",
    "NO_MONTH_ENDS",
    "PASSWORD_NEEDED",
    "PROBLEM_TYPES",
    "PROFILE_UNKNOWN",
    "REQUEST_REFUSED",
    "REQUEST_UNKNOWN",
    "SCOPE_UNKNOWN",
    "SIGNATURE_INVALID",
    "SIGN_IN_NEEDED",
    "SIGN_IN_UNAVAILABLE",
    "SPEC_UNKNOWN",
    "TOKEN_NEEDED",
    "TOO_MANY_LISTENERS",
    "TOO_MANY_REQUESTS",
    "UNKNOWN_DOWNLOAD",
    "UNKNOWN_FILTER",
    "UNKNOWN_FILTER_VALUE",
    "UNKNOWN_LANGUAGE",
    "UNKNOWN_PRODUCT",
    "UNREADABLE_FORM",
    "UNSUPPORTED_BODY",
    "UNTRUSTED_HOST",
    "WEBHOOK_OFF",
    "ProblemType",
]

PROBLEM_TYPES: Final = {
    kind.slug: kind
    for module in (access, figures, requests)
    for kind in vars(module).values()
    if isinstance(kind, ProblemType)
}
"""Every kind, by its slug."""
