"""Images and boxes out of shards, a part of the shards for each process."""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import torch
from PIL import Image
from torch.utils.data import IterableDataset
from torchvision.transforms.functional import to_tensor


class Shards(IterableDataset):
    def __init__(self, folder: Path, *, part: int = 0, parts: int = 1) -> None:
        self.files = sorted(folder.glob("*.tar"))[part::parts]

    def __iter__(self) -> Iterator[tuple[torch.Tensor, dict[str, torch.Tensor]]]:
        for file in self.files:
            with tarfile.open(file) as shard:
                content = {member.name: shard.extractfile(member).read() for member in shard}
            for name in sorted(content):
                if name.endswith(".jpg"):
                    label = json.loads(content[name.removesuffix(".jpg") + ".json"])
                    target = {
                        "boxes": torch.tensor(label["boxes"], dtype=torch.float32).reshape(-1, 4),
                        "labels": torch.tensor(label["labels"], dtype=torch.int64),
                    }
                    yield to_tensor(Image.open(io.BytesIO(content[name])).convert("RGB")), target
