import torch
import torch.nn.functional as F

x = torch.tensor([1, 2, 3, 4, 5, 6, 7, 8, 9]).float()
x = x.reshape(1, 3, 3, 1).permute(0, 3, 1, 2)  # NCHW
weight = torch.tensor([1, 10, -1, 1, 10, -1, 1, 10, -1, 1, 10, -1]).float()
weight = weight.reshape(2, 2, 1, 3).permute(3, 2, 0, 1)  # OIHW
x = F.pad(x, (0, 1, 0, 1))
y = F.conv2d(x, weight, stride=(1, 1))
print(tuple(y.shape), y)
