"""The network: what its range is divided into, what may leave, and what is logged."""

from __future__ import annotations

from ipaddress import IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from stacks.gcp.network import ranges_of
from tests.unit.stacks_gcp.asked import arguments, asked, nodes, refused

EXISTING = {
    "network_id": "projects/acme-net/global/networks/main",
    "subnet_ids": ["projects/acme-net/regions/europe-west4/subnetworks/ml"],
}


@given(length=st.integers(16, 20))
def test_the_parts_of_a_range_lie_in_it_and_apart_and_are_large_enough(length: int) -> None:
    cidr = IPv4Network(f"10.40.0.0/{length}")
    found = ranges_of(str(cidr))
    parts = [IPv4Network(found.workloads), found.services, IPv4Network(found.interfaces)]
    assert all(part.subnet_of(cidr) for part in parts)
    assert not any(a.overlaps(b) for a in parts for b in parts if a is not b)
    assert found.services.prefixlen <= 24
    assert IPv4Network(found.interfaces).prefixlen <= 28


def test_both_ways_are_denied_and_each_rule_is_logged() -> None:
    found = asked()
    for name in ("deny-ingress", "deny-egress"):
        rule = arguments(found, "network", f"google_compute_firewall.{name}")
        assert (rule["priority"], rule["deny"]) == (65534, [{"protocol": "all"}])
    rules = [
        node for node in nodes(found, "network").values() if node.address.type == "google_compute_firewall"
    ]
    assert all(node.arguments["log_config"] == {"metadata": "INCLUDE_ALL_METADATA"} for node in rules)


def test_without_egress_there_is_no_nat_no_default_route_and_no_rule_to_the_internet() -> None:
    found = nodes(asked(network={"egress": "none"}), "network")
    assert not [name for name in found if "nat" in name or "internet" in name]


def test_nat_has_as_many_fixed_addresses_as_gateways_are_asked_for() -> None:
    for asked_for, number in (("single", 1), ("per-zone", 3)):
        found = asked(network={"zones": 3, "egress": "nat", "nat_gateways": asked_for})
        nat = arguments(found, "network", "google_compute_router_nat.nat")
        assert nat["nat_ip_allocate_option"] == "MANUAL_ONLY"
        assert len(nat["nat_ips"]) == number


def test_googles_apis_answer_inside_by_the_restricted_addresses_only_where_asked() -> None:
    inside, outside = (
        asked(network={"egress": "nat", "private_endpoints": private}) for private in (True, False)
    )
    record = arguments(inside, "network", "google_dns_record_set.googleapis-addresses")
    assert record["name"] == "restricted.googleapis.com."
    assert record["rrdatas"][0] == "199.36.153.4"
    assert arguments(inside, "network", "google_dns_record_set.pkg-names")["rrdatas"] == ["pkg.dev."]
    assert not [name for name in nodes(outside, "network") if "dns_record" in name or "to-google" in name]


def test_flows_are_kept_as_long_as_asked() -> None:
    found = asked(security={"log_retention_days": 200})
    assert (
        arguments(found, "network", "google_logging_project_bucket_config.network")["retention_days"] == 200
    )


def test_zones_that_are_named_are_where_zonal_things_stand() -> None:
    found = asked(network={"zones": ["europe-west4-c", "europe-west4-a"]})
    (linked,) = (each for each in found.stacks if each.stack.concern == "network")
    assert linked.stack.exports["zones"] == ["europe-west4-c", "europe-west4-a"]


def test_a_network_that_is_there_is_used_and_nothing_of_it_made() -> None:
    found = asked(network={"existing": EXISTING}, workspace={"users": ["ada"]})
    assert nodes(found, "network") == {}
    setup = arguments(found, "workspace", "google_workbench_instance.ada")["gce_setup"]
    assert EXISTING["subnet_ids"][0] in str(setup)


def test_a_network_of_another_project_keeps_its_project_where_names_would_do() -> None:
    found = asked(network={"existing": EXISTING}, tracking={"backend": "managed"})
    service = arguments(found, "ml", "google_cloud_run_v2_service.tracking")
    (interface,) = service["template"]["vpc_access"]["network_interfaces"]
    assert interface == {"network": EXISTING["network_id"], "subnetwork": EXISTING["subnet_ids"][0]}
    own = {
        "network_id": "projects/acme-ml-dev/global/networks/n",
        "subnet_ids": ["projects/acme-ml-dev/regions/europe-west4/subnetworks/s"],
    }
    found = asked(network={"existing": own}, tracking={"backend": "managed"})
    service = arguments(found, "ml", "google_cloud_run_v2_service.tracking")
    assert service["template"]["vpc_access"]["network_interfaces"] == [{"network": "n", "subnetwork": "s"}]


def test_what_google_has_no_use_for_in_an_existing_network_is_refused() -> None:
    two = {**EXISTING, "subnet_ids": [*EXISTING["subnet_ids"], f"{EXISTING['subnet_ids'][0]}2"]}
    assert "everything is put into one" in refused(network={"existing": two})
    far = {**EXISTING, "subnet_ids": ["projects/acme-net/regions/us-east1/subnetworks/ml"]}
    assert "is not in europe-west4" in refused(network={"existing": far})


def test_a_network_that_reaches_nothing_is_refused() -> None:
    assert "unable to reach Google Cloud" in refused(network={"private_endpoints": False})
