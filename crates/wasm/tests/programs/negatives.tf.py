import numpy as np
import tensorflow as tf

x = np.reshape(np.float32([-4, -3, -2, -1]), (1, 2, 2, 1))
y = tf.nn.max_pool2d(x, ksize=[2, 2], strides=[1, 1], padding="SAME")
print(y.shape, y.numpy())
