import torch
import torch.nn.functional as F

x = torch.tensor([-4, -3, -2, -1]).float()
x = x.reshape(1, 2, 2, 1).permute(0, 3, 1, 2)  # NCHW
x = F.pad(x, (0, 1, 0, 1), value=float("-inf"))
y = F.max_pool2d(x, kernel_size=(2, 2), stride=(1, 1))
print(tuple(y.shape), y)
