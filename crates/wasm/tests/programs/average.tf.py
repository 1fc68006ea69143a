import numpy as np
import tensorflow as tf

x = np.reshape(np.float32([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
]), (1, 5, 5, 1))
y = tf.nn.avg_pool2d(x, ksize=[3, 3], strides=[2, 2], padding="SAME")
print(y.shape, y.numpy())
