import numpy as np
import tensorflow as tf

x = np.reshape(np.float32([1, 2, 3, 4, 5, 6, 7, 8, 9]), (1, 3, 3, 1))
filters = np.reshape(np.float32([1, 1, 1, 1]), (2, 2, 1, 1))
y = tf.nn.conv2d(x, filters, strides=[1, 1], padding="SAME")
print(y.shape, y.numpy())
