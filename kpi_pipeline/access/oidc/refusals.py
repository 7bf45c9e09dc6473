"""Why nobody signs in by the identity provider. No message holds anything of a token."""


class ProviderUnavailable(RuntimeError):
    """The provider does not answer, or not as agreed; the message says what, for the log."""


class TokenRefused(RuntimeError):
    """The provider's answer does not prove who somebody is; the message says why, for the log."""


class Unverified(TokenRefused):
    """The provider does not vouch for somebody's e-mail address, which anybody can claim."""
