"""Train the detector on all GPUs of all machines, and go on from the last checkpoint after an interruption."""

import argparse
import json
import os
from pathlib import Path

import torch
import torch.distributed as dist
from data import Shards
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader
from torchvision.models.detection import fasterrcnn_resnet50_fpn

# SageMaker copies this folder to the bucket while the job runs, and back when it starts again.
CHECKPOINT = Path("/opt/ml/checkpoints/last.pt")
RESOURCES = Path("/opt/ml/input/config/resourceconfig.json")


def worker(gpu: int, given: argparse.Namespace, hosts: list[str], host: str) -> None:
    gpus = torch.cuda.device_count()
    rank = hosts.index(host) * gpus + gpu
    os.environ |= {"MASTER_ADDR": hosts[0], "MASTER_PORT": "29500"}
    dist.init_process_group("nccl", rank=rank, world_size=len(hosts) * gpus)
    torch.cuda.set_device(gpu)
    model: nn.Module = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None).cuda(gpu)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    start = 0
    if CHECKPOINT.exists():
        last = torch.load(CHECKPOINT, map_location=f"cuda:{gpu}", weights_only=True)
        model.load_state_dict(last["model"])
        optimizer.load_state_dict(last["optimizer"])
        start = last["epoch"] + 1
    parallel = DistributedDataParallel(model, device_ids=[gpu])
    shards = Shards(given.shards, part=rank, parts=len(hosts) * gpus)
    loader = DataLoader(shards, batch_size=given.batch_size, collate_fn=tuple)
    for epoch in range(start, given.epochs):
        parallel.train()
        for batch in loader:
            images = [image.cuda(gpu, non_blocking=True) for image, _ in batch]
            targets = [{name: value.cuda(gpu) for name, value in target.items()} for _, target in batch]
            loss = sum(parallel(images, targets).values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if rank == 0:
            CHECKPOINT.parent.mkdir(parents=True, exist_ok=True)
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}
            torch.save(state, CHECKPOINT.with_suffix(".new"))
            CHECKPOINT.with_suffix(".new").replace(CHECKPOINT)
            print(f"epoch {epoch}: loss {float(loss):.4f}", flush=True)
        dist.barrier()
    if rank == 0:
        given.model.mkdir(parents=True, exist_ok=True)
        torch.save(model.state_dict(), given.model / "detector.pt")
    dist.destroy_process_group()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shards", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=64)
    given = parser.parse_args()
    resources = json.loads(RESOURCES.read_text())
    torch.multiprocessing.spawn(
        worker,
        args=(given, sorted(resources["hosts"]), resources["current_host"]),
        nprocs=torch.cuda.device_count(),
    )


if __name__ == "__main__":
    main()
