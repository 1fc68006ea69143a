import torch
import torch.nn.functional as F

x = torch.tensor([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20,
]).float()
x = x.reshape(1, 4, 5, 1).permute(0, 3, 1, 2)  # NCHW
weight = torch.tensor([1, 1, 1, 1, 1, 1]).float()
weight = weight.reshape(3, 2, 1, 1).permute(3, 2, 0, 1)  # OIHW
x = F.pad(x, (1, 3, 2, 0))
y = F.conv2d(x, weight, stride=(2, 1))
print(tuple(y.shape), y)
