"""The network of lab 11-2 as a class, with an argument for dropout: the course's lab 11-3."""

import sys

import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data

tf.set_random_seed(777)
digits = input_data.read_data_sets("MNIST_data/", one_hot=True)


class Net:
    def __init__(self, session, name):
        self.session = session
        self.name = name
        self.build()

    def build(self):
        with tf.variable_scope(self.name):
            self.keep_prob = tf.placeholder(tf.float32)
            self.X = tf.placeholder(tf.float32, [None, 784])
            self.Y = tf.placeholder(tf.float32, [None, 10])
            net = tf.reshape(self.X, [-1, 28, 28, 1])
            for before, after in [(1, 32), (32, 64), (64, 128)]:
                W = tf.Variable(tf.random_normal([3, 3, before, after], stddev=0.01))
                net = tf.nn.relu(tf.nn.conv2d(net, W, strides=[1, 1, 1, 1], padding='SAME'))
                net = tf.nn.max_pool(net, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME')
                net = tf.nn.dropout(net, keep_prob=self.keep_prob)
            flat = tf.reshape(net, [-1, 128 * 4 * 4])
            W4 = tf.get_variable("W4", shape=[128 * 4 * 4, 625], initializer=tf.contrib.layers.xavier_initializer())
            b4 = tf.Variable(tf.random_normal([625]))
            dense = tf.nn.dropout(tf.nn.relu(tf.matmul(flat, W4) + b4), keep_prob=self.keep_prob)
            W5 = tf.get_variable("W5", shape=[625, 10], initializer=tf.contrib.layers.xavier_initializer())
            b5 = tf.Variable(tf.random_normal([10]))
            self.logits = tf.matmul(dense, W5) + b5
        self.cost = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=self.logits, labels=self.Y))
        self.optimizer = tf.train.AdamOptimizer(learning_rate=0.001).minimize(self.cost)
        right = tf.equal(tf.argmax(self.logits, 1), tf.argmax(self.Y, 1))
        self.accuracy = tf.reduce_mean(tf.cast(right, tf.float32))

    def predict(self, x, keep=1.0):
        return self.session.run(self.logits, feed_dict={self.X: x, self.keep_prob: keep})

    def get_accuracy(self, x, y, keep=1.0):
        return self.session.run(self.accuracy, feed_dict={self.X: x, self.Y: y, self.keep_prob: keep})

    def train(self, x, y, keep=0.7):
        return self.session.run([self.cost, self.optimizer], feed_dict={self.X: x, self.Y: y, self.keep_prob: keep})


sess = tf.Session()
net = Net(sess, "net")
sess.run(tf.global_variables_initializer())
print('Learning Started!')
for epoch in range(int(sys.argv[1])):
    mean = 0
    # A share of the images, for a test that is in a hurry.
    steps = int(digits.train.num_examples / 100 * float(sys.argv[2]))
    for i in range(steps):
        c, _ = net.train(*digits.train.next_batch(100))
        mean += c / steps
    print('Epoch:', '%04d' % (epoch + 1), 'cost =', '{:.9f}'.format(mean))
print('Learning Finished!')
print('Accuracy:', net.get_accuracy(digits.test.images, digits.test.labels))
assert net.predict(digits.test.images[:3]).shape == (3, 10)
