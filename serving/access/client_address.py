"""Where a request comes from, behind however many proxies of ours."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


def client_address(near: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The address of the client, as far as proxies of ours say it.

    Each proxy adds whom it was connected by to what it has received, which a client may have made up: the
    last address that is none of ours is believed, and nothing before it.

    Args:
        near: Who has connected.
        forwarded: The addresses of `X-Forwarded-For`, in the order of the header.
        trusted: Networks of proxies of ours.

    Returns:
        Where all are proxies, the first one; where a proxy names what is no address, that proxy.
    """
    found = near
    for name in (near, *reversed(forwarded)):
        address = _address(name)
        if address is None:
            break
        found = str(address)
        if not any(address in network for network in trusted):
            break
    return found


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(name)
    except ValueError:
        return None
    # As a server that listens for both kinds names one of the older.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
