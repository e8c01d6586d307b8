#!/usr/bin/env bash
# Lists what is in an image (sbom/*.spdx.json) and fails on vulnerabilities of high severity that have a fix; ci/grype.yaml
# says what is accepted, and why.
#
#   bash ci/scan.sh training:0.1.0
set -euo pipefail

SYFT=anchore/syft:v1.51.0@sha256:678bfa565b60f747aac0f8e964fe5588a24445b8d0a480e91f6efd70020dfbb0
GRYPE=anchore/grype:v0.119.0@sha256:8c2c9234a345577a6d321a4753aa3ee1276d8975c8452d2344a56b57733ecad3

name=$(basename "${1%:*}")
mkdir -p sbom
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
docker save "$1" --output "$work/image.tar"
# Files are copied in and out, not mounted, so that it works where the Docker daemon is on another machine.
container=$(docker create "$SYFT" scan docker-archive:/image.tar --output spdx-json=/sbom.json)
docker cp "$work/image.tar" "$container:/image.tar"
docker start --attach "$container"
docker cp "$container:/sbom.json" "sbom/$name.spdx.json"
docker rm "$container" > /dev/null
container=$(docker create "$GRYPE" sbom:/sbom.json --fail-on high --only-fixed --config /grype.yaml)
docker cp "sbom/$name.spdx.json" "$container:/sbom.json"
docker cp ci/grype.yaml "$container:/grype.yaml"
code=0
docker start --attach "$container" || code=$?
docker rm "$container" > /dev/null
exit "$code"
