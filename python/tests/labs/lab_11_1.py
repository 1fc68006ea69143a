"""Two convolutions and a dense layer on MNIST, by TensorFlow 1's own calls: the course's lab 11-1."""

import random
import sys

import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data

tf.set_random_seed(777)
digits = input_data.read_data_sets("MNIST_data/", one_hot=True)

rate, epochs, size = 0.001, int(sys.argv[1]), 100

X = tf.placeholder(tf.float32, [None, 784])
Y = tf.placeholder(tf.float32, [None, 10])
image = tf.reshape(X, [-1, 28, 28, 1])

W1 = tf.Variable(tf.random_normal([3, 3, 1, 32], stddev=0.01))
net = tf.nn.conv2d(image, W1, strides=[1, 1, 1, 1], padding='SAME')
print(net)
net = tf.nn.relu(net)
print(net)
net = tf.nn.max_pool(net, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME')
print(net)

W2 = tf.Variable(tf.random_normal([3, 3, 32, 64], stddev=0.01))
net = tf.nn.conv2d(net, W2, strides=[1, 1, 1, 1], padding='SAME')
net = tf.nn.relu(net)
net = tf.nn.max_pool(net, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME')
flat = tf.reshape(net, [-1, 7 * 7 * 64])
print(flat)

W3 = tf.get_variable("W3", shape=[7 * 7 * 64, 10], initializer=tf.contrib.layers.xavier_initializer())
b = tf.Variable(tf.random_normal([10]))
logits = tf.matmul(flat, W3) + b

cost = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=Y))
optimizer = tf.train.AdamOptimizer(learning_rate=rate).minimize(cost)

sess = tf.Session()
sess.run(tf.global_variables_initializer())

print('Learning started. It takes sometime.')
for epoch in range(epochs):
    mean = 0
    steps = int(digits.train.num_examples / size)
    for i in range(steps):
        xs, ys = digits.train.next_batch(size)
        c, _ = sess.run([cost, optimizer], feed_dict={X: xs, Y: ys})
        mean += c / steps
    print('Epoch:', '%04d' % (epoch + 1), 'cost =', '{:.9f}'.format(mean))
print('Learning Finished!')

right = tf.equal(tf.argmax(logits, 1), tf.argmax(Y, 1))
accuracy = tf.reduce_mean(tf.cast(right, tf.float32))
print('Accuracy:', sess.run(accuracy, feed_dict={X: digits.test.images, Y: digits.test.labels}))

r = random.randint(0, digits.test.num_examples - 1)
print("Label: ", sess.run(tf.argmax(digits.test.labels[r:r + 1], 1)))
print("Prediction: ", sess.run(tf.argmax(logits, 1), feed_dict={X: digits.test.images[r:r + 1]}))
