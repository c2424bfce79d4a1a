"""Which addresses Relais refuses to call: one named case per range."""

from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.addresses import refusal

REFUSED = {
    "this network, first": "0.0.0.0",  # noqa: S104  # nothing binds to it
    "this network, last": "0.255.255.255",
    "private 10, first": "10.0.0.0",
    "private 10, last": "10.255.255.255",
    "carrier-grade NAT, first": "100.64.0.0",
    "carrier-grade NAT, last": "100.127.255.255",
    "Alibaba metadata": "100.100.100.200",
    "loopback": "127.0.0.1",
    "loopback, last": "127.255.255.255",
    "Azure WireServer": "168.63.129.16",
    "link-local": "169.254.0.0",
    "AWS metadata": "169.254.169.254",
    "ECS credentials": "169.254.170.2",
    "private 172, first": "172.16.0.0",
    "private 172, last": "172.31.255.255",
    "protocol assignments": "192.0.0.1",
    "Oracle metadata": "192.0.0.192",
    "documentation 1": "192.0.2.1",
    "AS112": "192.31.196.1",
    "AMT": "192.52.193.1",
    "6to4 relay": "192.88.99.1",
    "private 192.168": "192.168.0.1",
    "AS112 direct": "192.175.48.1",
    "benchmarking, first": "198.18.0.0",
    "benchmarking, last": "198.19.255.255",
    "documentation 2": "198.51.100.1",
    "documentation 3": "203.0.113.1",
    "multicast, first": "224.0.0.1",
    "multicast SSDP": "239.255.255.250",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "v6 unspecified": "::",
    "v6 loopback": "::1",
    "v6 in ::/8": "1::1",
    "v4-compatible": "::127.0.0.1",
    "v4-mapped": "::ffff:127.0.0.1",
    "v4-mapped public": "::ffff:8.8.8.8",
    "SIIT": "::ffff:0:7f00:1",
    "ISATAP": "::5efe:7f00:1",
    "NAT64 of loopback": "64:ff9b::7f00:1",
    "NAT64 of a public address": "64:ff9b::808:808",
    "local NAT64": "64:ff9b:1::a9fe:a9fe",
    "discard": "100::1",
    "Teredo": "2001:0:7f00:1::",
    "ORCHIDv2": "2001:20::1",
    "protocol assignments v6, last": "2001:1ff:ffff::1",
    "documentation v6": "2001:db8::1",
    "6to4 of loopback": "2002:7f00:1::1",
    "AS112 v6": "2620:4f:8000::1",
    "new documentation v6": "3fff::1",
    "new documentation v6, last": "3fff:fff:ffff::1",
    "not allocated": "4000::1",
    "segment routing": "5f00::1",
    "unique local fc": "fc00::1",
    "unique local fd": "fd00::1",
    "AWS metadata v6": "fd00:ec2::254",
    "link-local v6": "fe80::1",
    "site-local": "fec0::1",
    "multicast v6": "ff02::1",
    "multicast v6 global": "ff0e::1",
}
CALLED = {
    "public": "93.184.216.34",
    "public resolver": "8.8.8.8",
    "first public": "1.0.0.0",
    "before 10": "9.255.255.255",
    "after 10": "11.0.0.0",
    "before CGN": "100.63.255.255",
    "after CGN": "100.128.0.0",
    "before loopback": "126.255.255.255",
    "after loopback": "128.0.0.0",
    "beside WireServer": "168.63.129.17",
    "before link-local": "169.253.255.255",
    "after link-local": "169.255.0.0",
    "before private 172": "172.15.255.255",
    "after private 172": "172.32.0.0",
    "after protocol assignments": "192.0.1.0",
    "before private 192.168": "192.167.255.255",
    "after private 192.168": "192.169.0.0",
    "after benchmarking": "198.20.0.0",
    "before multicast": "223.255.255.255",
    "v6 public": "2606:2800:220:1:248:1893:25c8:1946",
    "v6 public resolver": "2001:4860:4860::8888",
    "after 2001::/23": "2001:200::1",
    "beside 6to4": "2003::1",
    "beside documentation v6": "2001:db9::1",
    "last global unicast but documentation": "3ffe::1",
}


@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED)
def test_an_address_that_leads_inside_is_refused_with_a_reason(address):
    assert refusal(ip_address(address))


@pytest.mark.parametrize("address", CALLED.values(), ids=CALLED)
def test_a_public_address_is_called(address):
    assert refusal(ip_address(address)) is None


def test_the_reason_names_the_network():
    assert refusal(ip_address("10.1.2.3")) == "10.0.0.0/8: private network"


def test_an_allowed_network_opens_its_own_addresses_only():
    allowed = [IPv4Network("10.1.2.3/32")]

    assert refusal(ip_address("10.1.2.3"), allowed=allowed) is None
    assert refusal(ip_address("10.1.2.4"), allowed=allowed)
    assert refusal(ip_address("127.0.0.1"), allowed=allowed)


@pytest.mark.parametrize(
    "disguise", ["::ffff:10.1.2.3", "::10.1.2.3", "64:ff9b::a01:203", "2002:a01:203::1"]
)
def test_an_allowed_network_does_not_open_its_ipv6_disguises(disguise):
    allowed = [IPv4Network("10.0.0.0/8")]

    assert refusal(ip_address(disguise), allowed=allowed)
    assert refusal(ip_address(disguise), allowed=allowed, nat64=True)


def test_an_allowed_ipv6_network_opens_its_addresses():
    assert refusal(ip_address("fd12::1"), allowed=[IPv6Network("fd12::/16")]) is None


@pytest.mark.parametrize("address", ["fe80::1%eth0", "2606:2800:220:1::1%1"])
def test_a_scope_id_is_refused_whatever_is_allowed(address):
    assert refusal(ip_address(address), allowed=[IPv6Network("::/0")]) == "scope id"


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.ip_addresses(v=4))
def test_behind_nat64_an_address_has_the_verdict_of_the_one_inside(inside: IPv4Address):
    wrapped = ip_address(int(ip_address("64:ff9b::")) + int(inside))

    assert refusal(wrapped, nat64=True) == refusal(inside)
    assert refusal(wrapped) is not None


@pytest.mark.parametrize("address", ["64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"])
def test_nat64_never_opens_what_is_inside(address):
    assert refusal(ip_address(address), nat64=True)


def test_nat64_does_not_open_local_nat64_prefixes():
    assert refusal(ip_address("64:ff9b:1::808:808"), nat64=True)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.ip_addresses(v=6))
def test_no_ipv6_address_outside_global_unicast_is_called(address):
    in_global_unicast = int(address) >> 125 == 1

    assert in_global_unicast or refusal(address)
