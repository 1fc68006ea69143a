import torch
import torch.nn.functional as F

x = torch.tensor([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
    29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42,
    43, 44, 45, 46, 47, 48, 49,
]).float()
x = x.reshape(1, 7, 7, 1).permute(0, 3, 1, 2)  # NCHW
weight = torch.tensor([1, 1, 1, 1, 1, 1, 1, 1, 1]).float()
weight = weight.reshape(3, 3, 1, 1).permute(3, 2, 0, 1)  # OIHW
y = F.conv2d(x, weight, stride=(1, 1), dilation=(2, 2))
print(tuple(y.shape), y)
