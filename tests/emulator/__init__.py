"""AWS on the loopback interface: moto with a layer in front that Terraform's AWS provider can live with.

May not be imported by the product, and may not reach any host but its own.

    python -m tests.emulator --port 5600

`identify` names the operation of a request, `answers` holds what moto lacks (one module per service),
`entity`, `tags` and `memory` hold what those need to remember, `patches` mends moto where it is wrong,
`server` joins them, `fixture` gives them to pytest.
"""
