"""Three convolutions with dropout, two dense layers: the course's lab 11-2."""

import random
import sys

import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data

tf.set_random_seed(777)
digits = input_data.read_data_sets("MNIST_data/", one_hot=True)

epochs, size = int(sys.argv[1]), 100
keep_prob = tf.placeholder(tf.float32)
X = tf.placeholder(tf.float32, [None, 784])
Y = tf.placeholder(tf.float32, [None, 10])
net = tf.reshape(X, [-1, 28, 28, 1])

channels = [1, 32, 64, 128]
for before, after in zip(channels, channels[1:]):
    W = tf.Variable(tf.random_normal([3, 3, before, after], stddev=0.01))
    net = tf.nn.conv2d(net, W, strides=[1, 1, 1, 1], padding='SAME')
    net = tf.nn.relu(net)
    net = tf.nn.max_pool(net, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME')
    net = tf.nn.dropout(net, keep_prob=keep_prob)
    print(net)
flat = tf.reshape(net, [-1, 128 * 4 * 4])

W4 = tf.get_variable("W4", shape=[128 * 4 * 4, 625], initializer=tf.contrib.layers.xavier_initializer())
b4 = tf.Variable(tf.random_normal([625]))
dense = tf.nn.relu(tf.matmul(flat, W4) + b4)
dense = tf.nn.dropout(dense, keep_prob=keep_prob)
W5 = tf.get_variable("W5", shape=[625, 10], initializer=tf.contrib.layers.xavier_initializer())
b5 = tf.Variable(tf.random_normal([10]))
logits = tf.matmul(dense, W5) + b5

cost = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=Y))
optimizer = tf.train.AdamOptimizer(learning_rate=0.001).minimize(cost)

sess = tf.Session()
sess.run(tf.global_variables_initializer())
for epoch in range(epochs):
    mean = 0
    steps = int(digits.train.num_examples / size)
    for i in range(steps):
        xs, ys = digits.train.next_batch(size)
        feed_dict = {X: xs, Y: ys, keep_prob: 0.7}
        c, _ = sess.run([cost, optimizer], feed_dict=feed_dict)
        mean += c / steps
    print('Epoch:', '%04d' % (epoch + 1), 'cost =', '{:.9f}'.format(mean))

accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), tf.argmax(Y, 1)), tf.float32))
print('Accuracy:', sess.run(accuracy, feed_dict={X: digits.test.images, Y: digits.test.labels, keep_prob: 1}))
r = random.randint(0, digits.test.num_examples - 1)
print("Label: ", sess.run(tf.argmax(digits.test.labels[r:r + 1], 1)))
print("Prediction: ", sess.run(tf.argmax(logits, 1), {X: digits.test.images[r:r + 1], keep_prob: 1}))
