//! Every input that was reported against other systems, and its relatives: an error that names the operator and
//! the shapes, never a panic; and the right answer where the input is valid.

use foveal_nn::ops;
use foveal_nn::{Conv2dOptions, Error, Padding, Pool2dOptions};
use foveal_testkit::reference as r;
use foveal_testkit::{Pad, Random, worst_relative};
use ndarray::{Array1, Array2, Array4};

type Shape = [usize; 4];

fn zeros(shape: Shape) -> Array4<f32> {
    Array4::zeros(shape)
}

fn pool(ksize: [i64; 2], strides: [i64; 2], padding: Padding) -> Pool2dOptions {
    Pool2dOptions { ksize, strides, padding }
}

/// Asserts an error that names the operator and holds every part.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Error>, operator: &str, parts: &[&str]) {
    let message = result.expect_err("an error").to_string();
    assert!(message.starts_with(&format!("{operator}: ")), "{message}");
    parts.iter().for_each(|part| assert!(message.contains(part), "{message} does not name {part}"));
}

/// `{shape:?}`, as messages show it.
fn show(shape: &[usize]) -> String {
    format!("{shape:?}")
}

#[track_caller]
fn conv_refused(x: Shape, w: Shape, options: &Conv2dOptions) {
    let parts = [show(&x), show(&w)];
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let d_y = zeros([x[0].min(1), 1, 1, w[3].min(1)]);
    // An array of the shape cannot always be made; its shape can be said.
    let small =
        |s: Shape| s.iter().try_fold(1usize, |a, &v| a.checked_mul(v.max(1))).is_some_and(|n| n < 1 << 20);
    if small(x) && small(w) {
        refused(ops::conv2d(zeros(x).view(), zeros(w).view(), None, options), "conv2d", &parts);
    }
    if small(w) {
        let d = ops::conv2d_backward_input(x, zeros(w).view(), d_y.view(), options);
        refused(d, "conv2d_backward_input", &parts);
    }
    if small(x) {
        let d = ops::conv2d_backward_filter(zeros(x).view(), w, d_y.view(), options);
        refused(d, "conv2d_backward_filter", &parts);
    }
}

#[track_caller]
fn pool_refused(x: Shape, options: &Pool2dOptions) {
    let parts = [show(&x)];
    let parts = [parts[0].as_str()];
    let d_y = zeros([x[0].min(1), 1, 1, x[3].min(1)]);
    refused(ops::avg_pool_backward(x, d_y.view(), options), "avg_pool_backward", &parts);
    if x.iter().try_fold(1usize, |a, &v| a.checked_mul(v.max(1))).is_none_or(|n| n > 1 << 20) {
        return;
    }
    let x = zeros(x);
    refused(ops::max_pool(x.view(), options), "max_pool", &parts);
    refused(ops::avg_pool(x.view(), options), "avg_pool", &parts);
    refused(ops::max_pool_backward(x.view(), d_y.view(), options), "max_pool_backward", &parts);
}

#[test]
fn reported_against_convolutions() {
    let plain = Conv2dOptions::default();
    for (report, x, w) in [
        ("TFSA-2021-015", [0, 0, 0, 0], [0, 0, 0, 0]),
        ("CVE-2021-41209", [1, 4, 4, 2], [0, 0, 2, 3]),
        ("CVE-2021-41209", [1, 4, 4, 2], [1, 1, 2, 0]),
        ("CVE-2022-35996", [1, 0, 4, 2], [1, 1, 2, 3]),
        ("TFSA-2021-013", [0, 0, 1, 0], [1, 1, 1, 1]),
        ("CVE-2021-29538", [0, 0, 0, 0], [0, 0, 0, 0]),
        ("TFSA-2021-028", [1, 4, 4, 2], [1, 1, 1, 1]),
        ("TFSA-2021-014", [1, 4, 4, 1], [0, 1, 5, 0]),
        ("TFSA-2021-016", [1, 4, 4, 1], [1, 0, 1, 1]),
        ("does not fit", [1, 4, 4, 1], [5, 1, 1, 1]),
        ("does not fit", [0, 4, 4, 1], [1, 5, 1, 1]),
    ] {
        println!("{report}: conv2d {x:?}, {w:?}");
        conv_refused(x, w, &plain);
        conv_refused(x, w, &Conv2dOptions { padding: Padding::Explicit([0; 4]), ..plain });
    }
}

#[test]
fn reported_against_pooling() {
    let two = |padding| pool([2, 2], [2, 2], padding);
    // TFSA-2021-068: an empty upstream gradient for a 1x1 output.
    let x = zeros([1, 2, 2, 1]);
    let empty = Array4::<f32>::zeros((0, 0, 0, 0));
    let d = ops::max_pool_backward(x.view(), empty.view(), &two(Padding::Valid));
    refused(d, "max_pool_backward", &["[1, 1, 1, 1]", "[0, 0, 0, 0]"]);
    // TFSA-2021-148.
    for padding in [Padding::Explicit([1, 1, 1, 1]), Padding::Explicit([0; 4]), Padding::Valid, Padding::Same]
    {
        pool_refused([3, 0, 0, 2], &two(padding));
    }
    // CVE-2021-29570 and TFSA-2021-065: sizes differ.
    let x = zeros([10, 4, 4, 2]);
    for d_y in [[3, 2, 2, 2], [10, 2, 2, 1], [10, 3, 2, 2], [10, 2, 1, 2]] {
        let parts = [show(&[10, 2, 2, 2]), show(&d_y)];
        let parts = [parts[0].as_str(), parts[1].as_str()];
        let d = ops::max_pool_backward(x.view(), zeros(d_y).view(), &two(Padding::Valid));
        refused(d, "max_pool_backward", &parts);
        let d = ops::avg_pool_backward([10, 4, 4, 2], zeros(d_y).view(), &two(Padding::Valid));
        refused(d, "avg_pool_backward", &parts);
    }
    // TFSA-2022-120: a window larger than the input. CVE-2022-35941, TFSA-2021-199 and -074: 0 and below.
    pool_refused([1, 2, 2, 1], &pool([3, 2], [1, 1], Padding::Valid));
    for bad in [0, -1, i64::MIN] {
        for padding in [Padding::Valid, Padding::Same, Padding::Explicit([0; 4])] {
            pool_refused([1, 4, 4, 1], &pool([bad, 2], [1, 1], padding));
            pool_refused([1, 4, 4, 1], &pool([2, bad], [1, 1], padding));
            pool_refused([1, 4, 4, 1], &pool([2, 2], [bad, 1], padding));
            pool_refused([1, 4, 4, 1], &pool([2, 2], [1, bad], padding));
        }
    }
    // A window wholly in the padding would have no value.
    pool_refused([1, 4, 4, 1], &pool([2, 2], [1, 1], Padding::Explicit([2, 0, 0, 0])));
    pool_refused([1, 4, 4, 1], &pool([2, 2], [1, 1], Padding::Explicit([0, -1, 0, 0])));
}

#[test]
fn numbers_too_large_and_too_small() {
    let (x, w) = ([1, 5, 5, 2], [2, 2, 2, 3]);
    let plain = Conv2dOptions::default();
    for bad in [0, -1, i64::MIN] {
        conv_refused(x, w, &Conv2dOptions { strides: [bad, 1], ..plain });
        conv_refused(x, w, &Conv2dOptions { strides: [1, bad], ..plain });
        conv_refused(x, w, &Conv2dOptions { dilations: [bad, 1], ..plain });
        conv_refused(x, w, &Conv2dOptions { groups: bad, ..plain });
    }
    for large in [1 << 32, 1 << 62, i64::MAX] {
        for i in 0..4 {
            let mut cells = [0; 4];
            cells[i] = large;
            conv_refused(x, w, &Conv2dOptions { padding: Padding::Explicit(cells), ..plain });
            pool_refused(x, &pool([2, 2], [1, 1], Padding::Explicit(cells)));
            pool_refused(x, &pool([i64::MAX, i64::MAX], [1, 1], Padding::Explicit(cells)));
        }
        let all = Padding::Explicit([large; 4]);
        conv_refused(x, w, &Conv2dOptions { padding: all, ..plain });
        for padding in [Padding::Valid, Padding::Same, all] {
            conv_refused(x, w, &Conv2dOptions { padding, dilations: [large, 1], ..plain });
            conv_refused(x, w, &Conv2dOptions { padding, strides: [large, large], ..plain });
            pool_refused(x, &pool([1, large], [1, 1], padding));
            pool_refused(x, &pool([2, 2], [1, large], padding));
        }
        conv_refused(x, w, &Conv2dOptions { groups: large, ..plain });
    }
    // Kernels of 2^32, and element counts that overflow 64 bits (CVE-2021-41197), an empty batch or not.
    let huge = 1usize << 32;
    conv_refused(x, [huge, 1, 2, 3], &plain);
    conv_refused(x, [1, huge, 2, huge], &plain);
    conv_refused(x, [1, 1, 2, usize::MAX], &plain);
    for n in [0, 1, huge] {
        for shape in [[n, huge, huge, 2], [n, 1 << 40, 1 << 40, 2], [n, usize::MAX, usize::MAX, 2]] {
            conv_refused(shape, [1, 1, 2, 3], &plain);
            conv_refused(shape, [1, 1, 2, 3], &Conv2dOptions { strides: [1 << 31, 1 << 31], ..plain });
            pool_refused(shape, &pool([1, 1], [1 << 31, 1 << 31], Padding::Same));
        }
    }
    // The output alone is too large.
    conv_refused(
        [1, 8, 8, 1],
        [1, 1, 1, 1],
        &Conv2dOptions { padding: Padding::Explicit([1 << 20; 4]), ..plain },
    );
}

#[test]
fn ranks_and_lengths() {
    use foveal_nn::{Conv2dGeometry, Pool2dGeometry};
    let plain = Conv2dOptions::default();
    for (x, w) in [(&[1, 2, 3][..], &[1, 1, 3, 1][..]), (&[1, 2, 3, 1], &[1, 1, 1]), (&[], &[])] {
        assert!(Conv2dGeometry::new("conv2d", x, w, &plain).unwrap_err().to_string().contains(&show(x)));
        assert!(Pool2dGeometry::new("pool", &x[..x.len().min(3)], &Pool2dOptions::new([1, 1])).is_err());
    }
    let (x, w) = (zeros([1, 5, 5, 2]), zeros([2, 2, 2, 3]));
    let bias = Array1::<f32>::zeros(4);
    refused(ops::conv2d(x.view(), w.view(), Some(bias.view()), &plain), "conv2d", &["bias", "[3]", "[4]"]);
    let d_y = zeros([1, 4, 4, 2]);
    let d = ops::conv2d_backward(x.view(), w.view(), d_y.view(), &plain);
    refused(d, "conv2d_backward_input", &["d_output", "[1, 4, 4, 3]", "[1, 4, 4, 2]"]);
    let (x, w) = (Array2::<f32>::zeros((2, 3)), Array2::<f32>::zeros((4, 5)));
    refused(ops::dense(x.view(), w.view(), None), "dense", &["[2, 3]", "[4, 5]"]);
    refused(ops::dense_backward(x.view(), w.view(), x.view()), "dense_backward", &["[2, 3]", "[4, 5]"]);
    let none = Array2::<f32>::zeros((2, 0));
    refused(ops::dense(none.view(), Array2::zeros((0, 3)).view(), None), "dense", &["[0, 3]"]);
    refused(ops::dense(x.view(), Array2::zeros((3, 0)).view(), None), "dense", &["[3, 0]"]);
    refused(ops::add(&[]), "add", &[]);
    refused(ops::concat(&[]), "concat", &[]);
    let (a, b) = (zeros([1, 2, 2, 1]), zeros([1, 2, 3, 1]));
    refused(ops::add(&[a.view(), b.view()]), "add", &["[1, 2, 2, 1]", "[1, 2, 3, 1]"]);
    refused(ops::concat(&[a.view(), b.view()]), "concat", &["[1, 2, 2]", "[1, 2, 3]"]);
    refused(ops::concat_backward(&[1, 1], a.view()), "concat_backward", &["[1, 1]", "[1, 2, 2, 1]"]);
    refused(ops::concat_backward(&[usize::MAX, 2], a.view()), "concat_backward", &["[1, 2, 2, 1]"]);
    refused(ops::softmax_backward(a.view(), b.view()), "softmax_backward", &["[1, 2, 3, 1]"]);
    refused(
        ops::activation_backward(ops::Activation::Relu, a.view(), b.view()),
        "activation_backward",
        &["[1, 2, 3, 1]"],
    );
    for rate in [-0.1, 1.0, f32::NAN] {
        refused(ops::dropout(a.view(), rate, 0), "dropout", &["rate"]);
    }
    let one = Array1::ones(1);
    let empty = zeros([0, 2, 2, 1]);
    refused(ops::batch_norm(empty.view(), one.view(), one.view(), 1e-3), "batch_norm", &["[0, 2, 2, 1]"]);
    let two = Array1::ones(2);
    refused(ops::batch_norm(a.view(), two.view(), one.view(), 1e-3), "batch_norm", &["gamma", "[2]"]);
}

#[test]
fn losses_refuse() {
    let z = Array2::<f32>::zeros((2, 3));
    let name = "softmax_cross_entropy";
    refused(ops::softmax_cross_entropy(z.view(), &[0, 3], 0.0, None), name, &["label 3", "3 classes"]);
    refused(ops::softmax_cross_entropy(z.view(), &[0], 0.0, None), name, &["labels"]);
    refused(ops::softmax_cross_entropy(z.view(), &[0, 1], 1.5, None), name, &["smoothing"]);
    refused(ops::softmax_cross_entropy(z.view(), &[0, 1], f32::NAN, None), name, &["smoothing"]);
    refused(ops::softmax_cross_entropy(z.view(), &[0, 1], 0.0, Some(&[1.0])), name, &["class_weights"]);
    refused(ops::softmax_cross_entropy(z.view(), &[0, 1], 0.0, Some(&[0.0; 3])), name, &["add up to 0"]);
    refused(
        ops::softmax_cross_entropy(Array2::zeros((2, 0)).view(), &[0, 0], 0.0, None),
        name,
        &["0 classes"],
    );
    let t = Array2::<f32>::zeros((3, 2));
    refused(ops::mean_squared_error(z.view(), t.view()), "mean_squared_error", &["[2, 3]", "[3, 2]"]);
    refused(ops::huber(z.view(), t.view(), 1.0), "huber", &["[2, 3]", "[3, 2]"]);
    for delta in [0.0, -1.0, f32::NAN] {
        refused(ops::huber(z.view(), z.view(), delta), "huber", &["delta"]);
    }
}

/// An empty batch gives empty results, and parameters' gradients of 0.
#[test]
fn an_empty_batch() {
    let (x, w) = (zeros([0, 5, 6, 2]), zeros([2, 3, 2, 4]));
    for padding in [Padding::Valid, Padding::Same, Padding::Explicit([1, 0, 2, 1])] {
        let options = Conv2dOptions { padding, strides: [2, 1], ..Default::default() };
        let y = ops::conv2d(x.view(), w.view(), None, &options).unwrap();
        assert_eq!(y.dim().0, 0);
        let d = ops::conv2d_backward(x.view(), w.view(), y.view(), &options).unwrap();
        assert_eq!(d.input.dim(), x.dim());
        assert!(d.filter.dim() == w.dim() && d.filter.iter().all(|&v| v == 0.0));
        assert_eq!(d.bias, Array1::<f32>::zeros(4));
        let options = pool([3, 3], [1, 2], padding);
        let y = ops::max_pool(x.view(), &options).unwrap();
        assert_eq!(y.dim(), ops::avg_pool(x.view(), &options).unwrap().dim());
        assert_eq!(ops::max_pool_backward(x.view(), y.view(), &options).unwrap().dim(), x.dim());
        assert_eq!(ops::avg_pool_backward([0, 5, 6, 2], y.view(), &options).unwrap().dim(), x.dim());
    }
    let y = ops::global_avg_pool(x.view()).unwrap();
    assert_eq!(y.dim(), (0, 1, 1, 2));
    assert_eq!(ops::global_avg_pool_backward([0, 5, 6, 2], y.view()).unwrap().dim(), x.dim());
    let (flat, w) = (ops::flatten(x.view()), Array2::ones((60, 3)));
    assert_eq!(flat.dim(), (0, 60));
    let y = ops::dense(flat.view(), w.view(), None).unwrap();
    let d = ops::dense_backward(flat.view(), w.view(), y.view()).unwrap();
    assert_eq!(
        (d.input.dim(), d.weights, d.bias),
        ((0, 60), Array2::<f32>::zeros((60, 3)), Array1::<f32>::zeros(3))
    );
    let (loss, d) = ops::softmax_cross_entropy(y.view(), &[], 0.1, None).unwrap();
    assert_eq!((loss, d.dim()), (0.0, (0, 3)));
    assert_eq!(ops::mean_squared_error(y.view(), y.view()).unwrap().0, 0.0);
    assert_eq!(ops::softmax(x.view()).dim(), x.dim());
    assert_eq!(ops::softmax_backward(x.view(), x.view()).unwrap().dim(), x.dim());
    for f in [ops::Activation::Relu, ops::Activation::Gelu] {
        assert_eq!(ops::activation(f, x.view()).dim(), x.dim());
        assert_eq!(ops::activation_backward(f, x.view(), x.view()).unwrap().dim(), x.dim());
    }
    assert_eq!(ops::dropout(x.view(), 0.5, 1).unwrap()[1].dim(), x.dim());
    let joined = ops::concat(&[x.view(), x.view()]).unwrap();
    assert_eq!(joined.dim(), (0, 5, 6, 4));
    assert_eq!(ops::concat_backward(&[2, 2], joined.view()).unwrap().len(), 2);
    assert_eq!(ops::add(&[x.view(), x.view()]).unwrap().dim(), x.dim());
    let one = Array1::ones(2);
    let y =
        ops::batch_norm_inference(x.view(), one.view(), one.view(), one.view(), one.view(), 1e-3).unwrap();
    assert_eq!(y.dim(), x.dim());
    let d = ops::batch_norm_backward(x.view(), one.view(), one.view(), one.view(), 1e-3, x.view()).unwrap();
    assert_eq!((d.input.dim(), d.gamma, d.beta), (x.dim(), Array1::<f32>::zeros(2), Array1::<f32>::zeros(2)));
}

fn close(what: &str, ours: &Array4<f32>, want: &Array4<f64>) {
    assert_eq!(ours.dim(), want.dim(), "{what}");
    let (ours, want): (Vec<f32>, Vec<f64>) = (ours.iter().copied().collect(), want.iter().copied().collect());
    let error = worst_relative(&ours, &want);
    assert!(error < 1e-6, "{what}: {error:e}");
}

/// What ended TensorFlow's process, what gave wrong answers elsewhere: valid inputs, and the right answers.
#[test]
fn valid_inputs_that_others_get_wrong() {
    let mut random = Random::new(21);
    for (x, w, s, d, pad) in [
        ([1, 8, 16, 7], [1, 1, 7, 4], [2, 2], [2, 3], Pad::Valid),
        ([1, 11, 10, 2], [3, 3, 2, 3], [1, 1], [2, 3], Pad::Same),
        ([2, 12, 9, 1], [3, 2, 1, 2], [2, 3], [3, 2], Pad::Same),
        ([3, 5, 2, 1], [3, 3, 1, 2], [1, 2], [1, 1], Pad::Same),
        ([1, 4, 4, 1], [1, 1, 1, 1], [7, 9], [1, 1], Pad::Valid),
        ([1, 2, 2, 1], [5, 5, 1, 1], [1, 1], [1, 1], Pad::Same),
    ] {
        let what = format!("{x:?} {w:?} {s:?} {d:?} {pad:?}");
        let options = Conv2dOptions {
            strides: s.map(|v| v as i64),
            dilations: d.map(|v| v as i64),
            padding: if pad == Pad::Same { Padding::Same } else { Padding::Valid },
            groups: 1,
        };
        let ((x32, x64), (w32, w64)) = (random.array_f32(x), random.array_f32(w));
        let want = r::conv2d(&x64, &w64, None, s, d, pad, 1);
        close(&what, &ops::conv2d(x32.view(), w32.view(), None, &options).unwrap(), &want);
        let (dy, dy64) = random.array_f32(want.dim());
        let found = ops::conv2d_backward(x32.view(), w32.view(), dy.view(), &options).unwrap();
        close(&what, &found.input, &r::conv2d_backward_input(&dy64, &w64, x, s, d, pad, 1));
        close(&what, &found.filter, &r::conv2d_backward_filter(&dy64, &x64, w, s, d, pad, 1));
    }
    // The gradient of max pooling where the window is not the stride.
    for (k, s, pad) in
        [([3, 3], [2, 2], Pad::Valid), ([3, 2], [1, 1], Pad::Same), ([2, 2], [3, 4], Pad::Valid)]
    {
        let (x, x64) = random.array_f32([2, 9, 8, 3]);
        let padding = if pad == Pad::Same { Padding::Same } else { Padding::Valid };
        let options = pool(k.map(|v| v as i64), s.map(|v| v as i64), padding);
        let (dy, dy64) = random.array_f32(r::max_pool(&x64, k, s, pad).dim());
        let found = ops::max_pool_backward(x.view(), dy.view(), &options).unwrap();
        close(&format!("{k:?} {s:?}"), &found, &r::max_pool_backward(&dy64, &x64, k, s, pad));
    }
    // A window far larger than the image, which SAME allows.
    let (x, x64) = random.array_f32([1, 3, 4, 2]);
    let wide = pool([1 << 20, 1 << 20], [1, 1], Padding::Same);
    let y = ops::avg_pool(x.view(), &wide).unwrap();
    close("a large window", &y, &r::avg_pool(&x64, [7, 9], [1, 1], Pad::Same));
}

/// The same numbers in a model: an error that names the layer, or a model; never a panic.
#[test]
fn hostile_models() {
    use foveal_nn::{Model, ModelSpec};
    let numbers =
        ["0", "-1", "1", "2", "4294967296", "2147483648", "4611686018427387904", "9223372036854775807"];
    let mut made = 0;
    for a in numbers {
        for b in numbers {
            for layer in [
                format!("kind = \"conv2d\", filters = {a}, kernel = [{b}, 1]"),
                format!(
                    "kind = \"conv2d\", filters = 2, kernel = [1, 1], groups = {a}, dilations = [{b}, 1]"
                ),
                format!(
                    "kind = \"conv2d\", filters = 2, kernel = [2, 2], strides = [{a}, {b}], padding = \"SAME\""
                ),
                format!("kind = \"conv2d\", filters = 2, kernel = [2, 2], padding = [{a}, {b}, {b}, {a}]"),
                format!("kind = \"max_pool\", ksize = [{a}, {b}], padding = \"SAME\", strides = [1, 1]"),
                format!("kind = \"avg_pool\", ksize = [{a}, {b}], padding = [0, 0, {b}, {a}]"),
                format!("kind = \"dense\", units = {a}"),
            ] {
                for input in ["[4, 4, 2]".to_owned(), "[1, 1, 3]".to_owned(), format!("[{a}, {b}, 1]")] {
                    let toml = format!("input.shape = {input}\nlayer = [{{ {layer} }}]");
                    let Ok(spec) = ModelSpec::from_toml(&toml) else { continue };
                    // No memory is taken for what is not given.
                    let model = Model::with_params(&spec, |name, shape| {
                        let count = shape.iter().product::<usize>();
                        if count > 1 << 16 {
                            Err(format!("{name} is not there"))
                        } else {
                            Ok(vec![0.0; count])
                        }
                    });
                    match model {
                        Ok(model) => made += usize::from(model.outputs() > 0),
                        Err(e) => assert!(!e.to_string().is_empty()),
                    }
                }
            }
        }
    }
    println!("{made} of the models can be made");
}
