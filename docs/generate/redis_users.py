"""The file of users of a Redis server in production, from the rights that the embedded server gives."""

from kpi_pipeline.cache.access import PIPELINE_RULES, SERVING_RULES


def users() -> str:
    """The file, with a place for the digest of each password."""
    lines = ["user default off"]
    for name, rules in (("pipeline", PIPELINE_RULES), ("serving", SERVING_RULES)):
        lines.append(" ".join(("user", name, "on", f"#{name.upper()}_SHA256", *rules)))
    return "\n".join(lines) + "\n"
