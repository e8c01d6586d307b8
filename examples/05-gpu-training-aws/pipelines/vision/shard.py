"""Pack images and their labels into shards of equal size, in an order that never changes."""

import argparse
import hashlib
import tarfile
from pathlib import Path

SHARD_IMAGES = 2000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    images = sorted(
        given.images.glob("**/*.jpg"), key=lambda path: hashlib.sha256(path.name.encode()).hexdigest()
    )
    if not images:
        raise SystemExit(f"no images below {given.images}")
    given.out.mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, len(images), SHARD_IMAGES)):
        with tarfile.open(given.out / f"shard-{number:05}.tar", "w") as shard:
            for image in images[start : start + SHARD_IMAGES]:
                for path in (image, image.with_suffix(".json")):
                    shard.add(path, arcname=path.name)
    print(f"{len(images)} images in {number + 1} shards")


if __name__ == "__main__":
    main()
