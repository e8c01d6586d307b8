"""Measure mean average precision, and write metrics.json, which the pipeline's gate reads."""

import argparse
import json
import tarfile
from pathlib import Path

import torch
from data import Shards
from torchmetrics.detection import MeanAveragePrecision
from torchvision.models.detection import fasterrcnn_resnet50_fpn


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--shards", type=Path, required=True)
    parser.add_argument("--report", type=Path, required=True)
    given = parser.parse_args()
    with tarfile.open(given.model / "model.tar.gz") as archive:
        archive.extractall("/tmp/model", filter="data")
    model = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None).cuda().eval()
    model.load_state_dict(torch.load("/tmp/model/detector.pt", weights_only=True))
    precision = MeanAveragePrecision()
    with torch.inference_mode():
        for image, target in Shards(given.shards):
            (found,) = model([image.cuda()])
            precision.update([{name: value.cpu() for name, value in found.items()}], [target])
    metrics = {"map": float(precision.compute()["map"])}
    given.report.mkdir(parents=True, exist_ok=True)
    (given.report / "metrics.json").write_text(json.dumps(metrics))
    print(metrics)


if __name__ == "__main__":
    main()
