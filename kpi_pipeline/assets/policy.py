"""The policy of scopes, published by itself: what serving may show to whom holds before any figure does."""

from contextlib import suppress

import redis

from kpi_pipeline.access.policy_file import PolicyError, load_policy
from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.cache.publishing.scopes import PublishedScopes
from kpi_pipeline.resources.cache import CacheResource
from kpi_pipeline.settings import current_settings


def renew_policy(cache: CacheResource) -> bool:
    """Publish the policy of scopes where serving goes by another one, or does not know whether there is one.

    Of a policy file that cannot be used nothing is published: the step that publishes scopes says what is
    wrong, and so does `kpi doctor`.

    Returns:
        Whether another policy holds now.

    Raises:
        RedisError: If Redis does not take a policy, and likewise NoRedis.
    """
    path = current_settings().policy
    if path is None:
        # A dashboard may remember an earlier one: it goes by that until it is told.
        with suppress(NoRedis, redis.RedisError):
            published = PublishedScopes(cache.client)
            if not published.is_known():
                published.withdraw()
        return False
    try:
        policy = load_policy(path)
    except PolicyError:
        return False
    published = PublishedScopes(cache.client)
    if published.policy() == policy:
        return False
    published.publish(policy)
    return True
