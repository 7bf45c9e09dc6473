"""What `kpi doctor` checks of who may read: the policy of scopes and the identity provider."""

import shlex

from kpi_pipeline.access.policy_file import load_policy
from kpi_pipeline.cli.problems import Problem
from kpi_pipeline.model.access import PROVIDER_RETURN_PATH
from kpi_pipeline.settings import AccessMode, Settings


def check_policy(settings: Settings) -> str:
    """The policy of scopes; a Problem where it has no effect.

    Raises:
        PolicyError: If it cannot be used.
    """
    if settings.policy is None:
        return "KPI_POLICY is not set: everybody sees the whole firm"
    policy = load_policy(settings.policy)
    if settings.access is AccessMode.OPEN:
        raise Problem(
            "KPI_POLICY has no effect while nobody is asked who they are: set KPI_ACCESS to accounts"
        )
    named = f"{len(policy.people)} people, {len(policy.roles)} roles"
    groups = f"; roles of {len(policy.groups)} groups" if policy.groups else ""
    return f"{len(policy.scopes)} scopes of {settings.policy}, in which it puts {named}{groups}"


def check_provider(settings: Settings) -> str:
    """The identity provider; a Problem where what it says of itself cannot be read or used."""
    if settings.oidc_issuer is None:
        return "KPI_OIDC_ISSUER is not set: no identity provider signs people in"
    # Its client takes long to load.
    from kpi_pipeline.access.oidc.provider import IdentityProvider, Registration  # noqa: PLC0415
    from kpi_pipeline.access.oidc.refusals import ProviderUnavailable  # noqa: PLC0415

    try:
        provider = IdentityProvider(Registration.of_settings(settings))
        provider.description()
        keys = provider.key_count()
    except ValueError as error:
        raise Problem(str(error)) from error
    except ProviderUnavailable as error:
        raise Problem(
            f"the identity provider {settings.oidc_issuer} cannot be used ({error}): check KPI_OIDC_ISSUER, "
            "and that this machine may connect to it"
        ) from error
    path = settings.oidc_client_secret_file
    if path is not None and path.stat().st_mode & 0o077:
        raise Problem(f"others can read the client secret: run `chmod 600 {shlex.join([str(path)])}`")
    back = f"{provider.registration.public_url}{PROVIDER_RETURN_PATH}"
    return f"{settings.oidc_issuer} answers, keys for signatures: {keys}; it must know {back}"
