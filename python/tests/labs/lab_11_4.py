"""The same by tf.layers, with a placeholder for training: the course's lab 11-4, and with two networks and more, whose
logits are added up, lab 11-5."""

import sys

import numpy as np
import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data

tf.set_random_seed(777)
digits = input_data.read_data_sets("MNIST_data/", one_hot=True)
# The share is of the images, for a test that is in a hurry.
epochs, count, share, size = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), 100


class Net:
    def __init__(self, session, name):
        self.session = session
        with tf.variable_scope(name):
            self.training = tf.placeholder(tf.bool)
            self.X = tf.placeholder(tf.float32, [None, 784])
            self.Y = tf.placeholder(tf.float32, [None, 10])
            net = tf.reshape(self.X, [-1, 28, 28, 1])
            for filters in (32, 64, 128):
                net = tf.layers.conv2d(inputs=net, filters=filters, kernel_size=[3, 3], padding="SAME",
                                       activation=tf.nn.relu)
                net = tf.layers.max_pooling2d(inputs=net, pool_size=[2, 2], padding="SAME", strides=2)
                net = tf.layers.dropout(inputs=net, rate=0.3, training=self.training)
            flat = tf.reshape(net, [-1, 128 * 4 * 4])
            dense = tf.layers.dense(inputs=flat, units=625, activation=tf.nn.relu)
            dense = tf.layers.dropout(inputs=dense, rate=0.5, training=self.training)
            self.logits = tf.layers.dense(inputs=dense, units=10)
        self.cost = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=self.logits, labels=self.Y))
        self.optimizer = tf.train.AdamOptimizer(learning_rate=0.001).minimize(self.cost)
        right = tf.equal(tf.argmax(self.logits, 1), tf.argmax(self.Y, 1))
        self.accuracy = tf.reduce_mean(tf.cast(right, tf.float32))

    def predict(self, x, training=False):
        return self.session.run(self.logits, feed_dict={self.X: x, self.training: training})

    def get_accuracy(self, x, y, training=False):
        return self.session.run(self.accuracy, feed_dict={self.X: x, self.Y: y, self.training: training})

    def train(self, x, y, training=True):
        return self.session.run([self.cost, self.optimizer], feed_dict={self.X: x, self.Y: y, self.training: training})


sess = tf.Session()
nets = [Net(sess, "net" + str(m)) for m in range(count)]
sess.run(tf.global_variables_initializer())
print('Learning Started!')
for epoch in range(epochs):
    costs = np.zeros(len(nets))
    steps = int(digits.train.num_examples / size * share)
    for i in range(steps):
        xs, ys = digits.train.next_batch(size)
        for m, net in enumerate(nets):
            c, _ = net.train(xs, ys)
            costs[m] += c / steps
    print('Epoch:', '%04d' % (epoch + 1), 'cost =', costs)
print('Learning Finished!')

x, y = digits.test.images, digits.test.labels
together = np.zeros([len(y), 10])
for m, net in enumerate(nets):
    print(m, 'Accuracy:', net.get_accuracy(x, y))
    together += net.predict(x)
right = tf.equal(tf.argmax(together, 1), tf.argmax(y, 1))
print('Ensemble accuracy:', sess.run(tf.reduce_mean(tf.cast(right, tf.float32))))
