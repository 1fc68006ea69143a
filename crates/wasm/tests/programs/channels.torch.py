import torch
import torch.nn.functional as F

x = torch.tensor([
    1, 1, 1, 4, 7, -1, -3, 3, 6, -7, 6, -1, -2, -6,
    -1, -9, -7, 0, 3, -5, 0, -1, 6, 3, 2, 1, 5, 2,
    5, -9, 2, -2, -9, 2, -6, -3, 1, 9, -5, 5, 6, -3,
    1, 2, 6, -5, -6, 4, -4, -7, 8, 7, -3, 9, 9, -4,
    8, -8, -2, 7,
]).float()
x = x.reshape(1, 4, 5, 3).permute(0, 3, 1, 2)  # NCHW
weight = torch.tensor([
    0, 2, 2, 1, -1, -1, 0, -1, 0, 0, 0, 0, 1, 1,
    1, -2, 2, 2, 2, 0, 2, -1, -2, 1, 1, 0, 1, 2,
    0, -2, 2, 1, 1, -2, 2, 0,
]).float()
weight = weight.reshape(2, 3, 3, 2).permute(3, 2, 0, 1)  # OIHW
y = F.conv2d(x, weight, stride=(1, 1))
print(tuple(y.shape), y)
