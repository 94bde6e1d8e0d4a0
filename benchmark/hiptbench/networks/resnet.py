"""ResNet-50 cut after its third stage, the usual ImageNet encoder of pathology patches."""

import copy
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

CUT_OFF = ("layer4.", "fc.")  # what published ResNet-50 weights hold beyond the third stage


class Bottleneck(nn.Module):
    """Three convolutions, the middle one 3 x 3 and with the stride, added to their input.

    Args:
        d_in: Channels of the input.
        width: Channels of the 3 x 3 convolution; the result has four times as many.
        stride: Stride of the 3 x 3 convolution and of the shortcut.
    """

    def __init__(self, d_in: int, width: int, stride: int) -> None:
        super().__init__()
        d_out = 4 * width
        self.conv1 = nn.Conv2d(d_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, d_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(d_out)
        self.downsample = nn.Sequential()
        if stride != 1 or d_in != d_out:
            self.downsample = nn.Sequential(nn.Conv2d(d_in, d_out, 1, stride=stride, bias=False), nn.BatchNorm2d(d_out))

    def forward(self, x: Float[Tensor, "b d_in h w"]) -> Float[Tensor, "b d_out i j"]:
        """Transform feature maps."""
        out = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        out = functional.relu(self.bn2(self.conv2(out)), inplace=True)
        out = self.bn3(self.conv3(out)) + self.downsample(x)
        return functional.relu(out, inplace=True)


class ResNet50(nn.Module):
    """ResNet-50 up to its third stage, averaged over the image: 1024 numbers an image.

    The state dict has torchvision's names. New ones have random weights.

    Source: He et al., Deep residual learning for image recognition, 2016, in torchvision's form ("v1.5"): the stride is
    in the 3 x 3 convolutions. The cut is that of mahmoodlab/CLAM, models/resnet_custom.py.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = _stage(64, width=64, depth=3, stride=1)
        self.layer2 = _stage(256, width=128, depth=4, stride=2)
        self.layer3 = _stage(512, width=256, depth=6, stride=2)
        self.reset_parameters()

    def forward(self, images: Float[Tensor, "b 3 height width"]) -> Float[Tensor, "b 1024"]:
        """Return one vector an image.

        Args:
            images: Normalised images of any size.
        """
        x = functional.relu(self.bn1(self.conv1(images)), inplace=True)
        x = functional.max_pool2d(x, 3, stride=2, padding=1)
        maps: Tensor = self.layer3(self.layer2(self.layer1(x)))
        return maps.mean(dim=(2, 3))

    def fused(self) -> "ResNet50":
        """Return a copy for inference: batch norms folded into the convolutions, channels last in memory.

        Fold in float32 and change the precision afterwards. The copy has other tensors than published weights, so load
        those before.
        """
        network = copy.deepcopy(self).eval()
        for module in list(network.modules()):
            for (at, conv), (after, norm) in pairwise(module.named_children()):
                if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    module.add_module(at, fuse_conv_bn_eval(conv, norm))
                    module.add_module(after, nn.Identity())
        nn.utils.convert_conv2d_weight_memory_format(network, torch.channels_last)
        return network

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw new random weights, as before training: after He et al. (2015), batch norms that change nothing.

        Args:
            generator: Where random numbers come from; PyTorch's own by default.
        """
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", generator=generator)
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()


def _stage(d_in: int, *, width: int, depth: int, stride: int) -> nn.Sequential:
    first = Bottleneck(d_in, width, stride)
    return nn.Sequential(first, *(Bottleneck(4 * width, width, 1) for _ in range(depth - 1)))
