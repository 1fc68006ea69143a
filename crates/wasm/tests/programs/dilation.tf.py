import numpy as np
import tensorflow as tf

x = np.reshape(np.float32([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
    29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42,
    43, 44, 45, 46, 47, 48, 49,
]), (1, 7, 7, 1))
filters = np.reshape(np.float32([1, 1, 1, 1, 1, 1, 1, 1, 1]), (3, 3, 1, 1))
y = tf.nn.conv2d(x, filters, strides=[1, 1], padding="VALID", dilations=[2, 2])
print(y.shape, y.numpy())
