import numpy as np
import tensorflow as tf

x = np.reshape(np.float32([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20,
]), (1, 4, 5, 1))
filters = np.reshape(np.float32([1, 1, 1, 1, 1, 1]), (3, 2, 1, 1))
y = tf.nn.conv2d(x, filters, strides=[2, 1], padding=[[0, 0], [2, 0], [1, 3], [0, 0]])
print(y.shape, y.numpy())
