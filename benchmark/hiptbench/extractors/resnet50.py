"""ResNet-50 trained on ImageNet and cut after its third stage: the encoder before there were any of pathology."""

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from jaxtyping import Float32, UInt8
from torch import nn

from hiptbench.extractors.base import About, Level
from hiptbench.extractors.network import IMAGENET, NetworkExtractor, encode
from hiptbench.networks.resnet import CUT_OFF, ResNet50


@dataclass(frozen=True, kw_only=True)
class ResNet50B3(NetworkExtractor):
    """ResNet-50 up to its third stage, averaged: [n, 1024].

    Source: ``ResNet50_B3`` of Chen et al., CVPR 2022, after mahmoodlab/CLAM, models/resnet_custom.py; its weights are
    torchvision's ``resnet50-19c8e357.pth`` there.
    """

    @property
    def name(self) -> str:
        """The name shown on leaderboards."""
        return self.named("resnet50")

    @property
    def dim(self) -> int:
        """Length of a patch's vector."""
        return 1024

    @property
    def level(self) -> Level:
        """What one image is."""
        return "patch"

    @property
    def about(self) -> About:
        """What the card says."""
        return About(
            encoder="ResNet-50, third stage",
            pretrained_on=() if self.random_weights else ("ImageNet",),
            weights_sha256=self._loaded[1],
            details=self.details | {"mean": IMAGENET.mean, "std": IMAGENET.std},
        )

    def extract(self, images: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n dim"]:
        """Return one vector a patch."""
        return encode(self._loaded[0], images, IMAGENET, self.batches).cpu().numpy()

    @cached_property
    def _loaded(self) -> tuple[nn.Module, dict[str, str]]:
        network, sha256 = self.ready(ResNet50(), "resnet50*", ignore=CUT_OFF)
        return self.placed(cast(ResNet50, network).fused()), sha256
