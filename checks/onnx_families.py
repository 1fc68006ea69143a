"""Writes the files of 61 families of convolutional networks of timm and torchvision for the import table.

Usage: onnx_families.py FOLDER [NAME ...]. Needs torch, torchvision, timm, onnx and onnxscript; downloads nothing.
"""

import sys

import onnx_nets as nets
import torch

# Name and size of the square picture, of timm; `tv:` of torchvision.
FAMILIES = """
resnet18 64
resnet50 64
resnext50_32x4d 64
wide_resnet50_2 64
seresnet18 64
ecaresnet26t 64
resnetv2_50 64
resnetv2_50x1_bit 64
skresnet18 64
res2net50_26w_4s 64
resnest14d 64
gcresnet33ts 96
densenet121 64
vgg11 224
vgg11_bn 224
tv:alexnet 224
tv:squeezenet1_0 64
tv:squeezenet1_1 64
mobilenetv1_100 64
mobilenetv2_100 64
mobilenetv3_small_050 64
mobilenetv3_large_100 64
mobilenetv4_conv_small 64
mnasnet_small 64
efficientnet_b0 64
tf_efficientnet_b0 65
tf_efficientnet_lite0 64
efficientnetv2_rw_t 64
tv:shufflenet_v2_x0_5 64
tv:shufflenet_v2_x1_0 64
ghostnet_050 64
regnetx_002 64
regnety_002 64
convnext_atto 64
convnext_tiny 64
convnextv2_atto 64
repvgg_a0 64
dla34 64
hrnet_w18_small 64
inception_v3 96
tv:googlenet 64
xception41 96
pnasnet5large 96
hardcorenas_a 64
mixnet_s 64
tinynet_e 64
lcnet_050 64
spnasnet_100 64
rexnet_100 64
cspresnet50 64
cspdarknet53 64
ese_vovnet19b_dw 64
dpn68 64
selecsls42b 96
dm_nfnet_f0 64
gernet_s 64
hgnet_tiny 64
fastvit_t8 64
mobileone_s0 64
tv:deeplabv3_mobilenet_v3_large 64
tv:lraspp_mobilenet_v3_large 64
"""


class Out(torch.nn.Module):
    """The one output of a segmentation network."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x)["out"]


def make(name, size):
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(2, 3, size, size, generator=generator)
    if name.startswith("tv:"):
        import torchvision.models as models

        name = name[3:]
        if "deeplab" in name or "lraspp" in name or "fcn" in name:
            build = getattr(models.segmentation, name)
            return Out(build(weights=None, weights_backbone=None, num_classes=5)), x
        more = dict(aux_logits=False, init_weights=True) if name == "googlenet" else {}
        return getattr(models, name)(weights=None, num_classes=10, **more), x
    import timm

    return timm.create_model(name, pretrained=False, num_classes=10), x


def rows():
    return [(name.replace(":", "_"), name, int(size)) for name, size in map(str.split, FAMILIES.strip().splitlines())]


def main():
    nets.calm()
    folder, only = sys.argv[1], sys.argv[2:]
    for label, name, size in rows():
        if not only or label in only:
            # The older exporter with an open batch, the newer one as it is called without options.
            nets.write(folder, label, lambda: make(name, size), {"open": {"script": {0: "n"}}, "exact": True})


if __name__ == "__main__":
    main()
