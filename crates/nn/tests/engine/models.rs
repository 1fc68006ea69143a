//! Small models that bring every layer and every way the planner takes into play.

use foveal_nn::loss::Loss;

const CROSS_ENTROPY: Loss = Loss::CrossEntropy { label_smoothing: 0.0 };
const SMOOTHED: Loss = Loss::CrossEntropy { label_smoothing: 0.1 };

type Named = (&'static str, String, Loss);

fn model(name: &'static str, input: &str, layers: &str, loss: Loss) -> Named {
    let layers: Vec<String> = layers
        .split(';')
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .map(|l| {
            let (kind, rest) = l.split_once(' ').unwrap_or((l, ""));
            let comma = if rest.is_empty() { "" } else { ", " };
            format!("{{ kind = \"{kind}\"{comma}{rest} }}")
        })
        .collect();
    (name, format!("input.shape = {input}\nlayer = [\n{}\n]\n", layers.join(",\n")), loss)
}

const CONV: &str = "conv2d filters = 4, kernel = [3, 3], padding = \"SAME\"";
const POOL: &str = "max_pool ksize = [2, 2], padding = \"SAME\"";

/// Every model, with a loss; none draws random masks.
pub fn all() -> Vec<Named> {
    let ce = CROSS_ENTROPY;
    let mut all = vec![
        model(
            "conv, relu, pool twice",
            "[8, 8, 1]",
            &format!("{CONV}; relu; {POOL}; {CONV}; relu; {POOL}; flatten; dense units = 5"),
            ce,
        ),
        model(
            "conv, pool, relu",
            "[7, 9, 3]",
            &format!("{CONV}; {POOL}; relu; {CONV}; {POOL}; flatten; dense units = 3"),
            SMOOTHED,
        ),
        model("one dense layer", "[3, 2, 2]", "flatten; dense units = 4", ce),
        model(
            "dense after dense",
            "[4, 4, 1]",
            "flatten; dense units = 19; relu; dense units = 7; tanh; dense units = 6",
            SMOOTHED,
        ),
        model(
            "dense without bias",
            "[4, 4, 1]",
            "flatten; dense units = 9, bias = false; relu; dense units = 4, bias = false",
            ce,
        ),
        model(
            "stride, dilation, groups",
            "[11, 12, 4]",
            "conv2d filters = 6, kernel = [3, 2], strides = [2, 3], padding = \"SAME\", groups = 2; relu; conv2d filters = 9, kernel = [2, 2], dilations = [2, 1], groups = 3, bias = false; flatten; dense units = 3",
            ce,
        ),
        model(
            "depthwise, pooled",
            "[9, 9, 3]",
            "conv2d filters = 6, kernel = [3, 3], groups = 3; relu; max_pool ksize = [3, 3]; conv2d filters = 6, kernel = [2, 2], groups = 6, padding = [1, 0, 0, 1]; max_pool ksize = [2, 2]; flatten; dense units = 4",
            ce,
        ),
        model(
            "stride beyond the filter",
            "[13, 13, 2]",
            "conv2d filters = 5, kernel = [2, 1], strides = [4, 3]; gelu; conv2d filters = 4, kernel = [1, 1], strides = [2, 2], padding = \"SAME\"; relu; flatten; dense units = 3",
            ce,
        ),
        model(
            "a filter as large as the image",
            "[6, 5, 2]",
            "conv2d filters = 5, kernel = [6, 5]; relu; flatten; dense units = 4",
            ce,
        ),
        model(
            "only convolutions, output 1x1",
            "[6, 6, 1]",
            "conv2d filters = 3, kernel = [3, 3]; leaky_relu alpha = 0.3; conv2d filters = 4, kernel = [4, 4]",
            ce,
        ),
        model(
            "explicit padding",
            "[6, 7, 2]",
            "conv2d filters = 3, kernel = [3, 3], padding = [0, 2, 1, 0]; relu; max_pool ksize = [2, 2], padding = [0, 1, 0, 1]; conv2d filters = 3, kernel = [2, 2], padding = [1, 1, 1, 1]; max_pool ksize = [2, 2], strides = [1, 2], padding = [1, 0, 0, 1]; flatten; dense units = 3",
            ce,
        ),
        model(
            "overlapping pools",
            "[9, 9, 2]",
            &format!(
                "{CONV}; relu; max_pool ksize = [3, 3], strides = [2, 2]; {CONV}; max_pool ksize = [3, 3], strides = [2, 2], padding = \"SAME\"; relu; flatten; dense units = 5"
            ),
            ce,
        ),
        model(
            "stride of the pool beyond its window",
            "[11, 11, 1]",
            &format!("{CONV}; relu; max_pool ksize = [2, 2], strides = [3, 4]; flatten; dense units = 5"),
            ce,
        ),
        model(
            "pool first",
            "[8, 8, 2]",
            &format!(
                "max_pool ksize = [2, 2]; {CONV}; relu; avg_pool ksize = [2, 2]; flatten; dense units = 3"
            ),
            ce,
        ),
        model(
            "average pools",
            "[9, 8, 2]",
            &format!(
                "{CONV}; relu; avg_pool ksize = [3, 3], strides = [2, 2], padding = \"SAME\"; {CONV}; gelu; avg_pool ksize = [2, 2]; flatten; dense units = 4"
            ),
            ce,
        ),
        model(
            "global average",
            "[7, 6, 2]",
            &format!("{CONV}; relu; {CONV}; sigmoid; global_avg_pool; dense units = 4"),
            ce,
        ),
        model(
            "global maximum, fused with its convolution and not",
            "[7, 6, 2]",
            &format!(
                "{CONV}; relu; {CONV}; relu; global_max_pool; dense units = 4, name = \"d\"; conv2d filters = 3, kernel = [2, 2], inputs = [\"relu_1\"]; tanh; global_max_pool; dense units = 4; add inputs = [\"d\", \"dense_2\"]"
            ),
            ce,
        ),
        model(
            "text",
            "[1, 9, 1]",
            "embedding vocabulary = 23, size = 5, name = \"e\"; conv2d filters = 4, kernel = [1, 3]; relu; global_max_pool name = \"a\"; conv2d filters = 4, kernel = [1, 4], inputs = [\"e\"]; relu; global_max_pool name = \"b\"; concat inputs = [\"a\", \"b\"]; dense units = 3",
            SMOOTHED,
        ),
        model(
            "text downwards, padded, its numbers read twice",
            "[6, 1, 1]",
            "embedding vocabulary = 200, size = 3; conv2d filters = 4, kernel = [3, 1], padding = \"SAME\"; batch_norm; relu; flatten; flatten inputs = [\"input\"]; concat inputs = [\"flatten_1\", \"flatten_2\"]; dense units = 3",
            ce,
        ),
        model(
            "text, one layer of embedding",
            "[1, 4, 1]",
            "embedding vocabulary = 7, size = 2; flatten; dense units = 3",
            ce,
        ),
        model(
            "pool after pool",
            "[12, 12, 1]",
            &format!(
                "{CONV}; relu; {POOL}; {POOL}; avg_pool ksize = [2, 2], padding = \"SAME\"; flatten; dense units = 4"
            ),
            ce,
        ),
        model(
            "batch norm",
            "[6, 6, 2]",
            &format!("{CONV}; batch_norm; relu; {POOL}; flatten; dense units = 5"),
            ce,
        ),
        model(
            "batch norm first",
            "[5, 6, 2]",
            &format!("batch_norm; {CONV}; relu; {POOL}; flatten; dense units = 5"),
            ce,
        ),
        model(
            "three batch norms",
            "[8, 8, 1]",
            &format!(
                "{CONV}; batch_norm momentum = 0.8; relu; {POOL}; {CONV}; batch_norm epsilon = 1e-2; relu; flatten; dense units = 8; batch_norm; relu; dense units = 3"
            ),
            SMOOTHED,
        ),
        model(
            "batch norm after batch norm",
            "[5, 5, 2]",
            "batch_norm; batch_norm; flatten; dense units = 3",
            ce,
        ),
        model(
            "batch norm between conv and pool",
            "[8, 8, 1]",
            &format!(
                "{CONV}; batch_norm; {POOL}; {CONV}; relu; batch_norm; {POOL}; flatten; dense units = 3"
            ),
            ce,
        ),
        model("batch norm last", "[4, 4, 1]", "flatten; dense units = 4; batch_norm", ce),
        model(
            "dropout of rate 0",
            "[6, 6, 1]",
            &format!(
                "{CONV}; relu; {POOL}; dropout rate = 0.0; {CONV}; dropout rate = 0.0; relu; flatten; dropout rate = 0.0; dense units = 4"
            ),
            ce,
        ),
        model(
            "softmax in the middle",
            "[4, 5, 2]",
            &format!("{CONV}; softmax; {CONV}; relu; flatten; dense units = 6; softmax; dense units = 3"),
            ce,
        ),
        model(
            "softmax at the end",
            "[4, 4, 1]",
            "flatten; dense units = 8; relu; dense units = 4; softmax",
            SMOOTHED,
        ),
        model(
            "softmax at the end of a regression",
            "[4, 4, 1]",
            "flatten; dense units = 4; softmax",
            Loss::MeanSquared,
        ),
        model(
            "mean squared error",
            "[6, 6, 1]",
            &format!("{CONV}; tanh; {POOL}; flatten; dense units = 3"),
            Loss::MeanSquared,
        ),
        model(
            "huber",
            "[6, 6, 1]",
            &format!("{CONV}; relu; {POOL}; flatten; dense units = 2"),
            Loss::Huber { delta: 0.7 },
        ),
        model(
            "one value",
            "[5, 5, 1]",
            "flatten; dense units = 6; gelu; dense units = 1",
            Loss::Huber { delta: 1.0 },
        ),
        model("one class", "[3, 3, 1]", "flatten; dense units = 1", SMOOTHED),
        model(
            "many channels",
            "[6, 5, 3]",
            "conv2d filters = 19, kernel = [3, 3]; relu; conv2d filters = 33, kernel = [2, 2]; relu; flatten; dense units = 71; relu; dense units = 17",
            ce,
        ),
        model(
            "blocks of channels",
            "[16, 16, 1]",
            "conv2d filters = 32, kernel = [3, 3], padding = \"SAME\"; relu; max_pool ksize = [2, 2]; conv2d filters = 8, kernel = [3, 3], strides = [2, 2]; relu; max_pool ksize = [2, 2]; flatten; dense units = 10",
            ce,
        ),
    ];
    for f in [
        "relu",
        "leaky_relu",
        "leaky_relu alpha = -0.5",
        "clip",
        "clip min = -0.4, max = 0.3",
        "sigmoid",
        "tanh",
        "gelu",
        "gelu approximate = true",
        "silu",
        "hard_swish",
        "hard_sigmoid",
        "hard_sigmoid alpha = 0.2, beta = 0.6",
        "elu alpha = 0.7",
        "elu alpha = -0.7",
        "selu",
        "celu alpha = 1.3",
        "softplus",
        "mish",
        "prelu",
    ] {
        all.push(model("activations after conv, pool and dense", "[6, 6, 1]", &format!("{f}; {CONV}; {f}; avg_pool ksize = [2, 2]; {f}; flatten; {f}; dense units = 6; {f}; {f}; dense units = 4"), ce));
    }
    all.extend(graphs());
    all.extend(moved());
    all.extend(normalized());
    all.extend(gated());
    all
}

/// Residual joins and parallel branches.
fn graphs() -> Vec<Named> {
    let ce = CROSS_ENTROPY;
    let same = "kernel = [3, 3], padding = \"SAME\"";
    vec![
        model(
            "residual",
            "[6, 6, 2]",
            &format!(
                "conv2d filters = 4, {same}, name = \"a\"; relu name = \"b\"; conv2d filters = 4, {same}; relu; conv2d filters = 4, {same}, name = \"c\"; add inputs = [\"c\", \"b\"]; relu; {POOL}; flatten; dense units = 3"
            ),
            ce,
        ),
        model(
            "residual of the input",
            "[6, 6, 3]",
            &format!(
                "conv2d filters = 3, {same}, name = \"a\"; add inputs = [\"input\", \"a\"]; flatten; dense units = 3"
            ),
            ce,
        ),
        model(
            "residual around batch norms",
            "[6, 6, 2]",
            &format!(
                "conv2d filters = 3, {same}, name = \"a\"; batch_norm name = \"b\"; relu name = \"r\"; conv2d filters = 3, {same}; batch_norm name = \"c\"; add inputs = [\"c\", \"r\"]; relu; global_avg_pool; dense units = 3"
            ),
            ce,
        ),
        model(
            "strided residual block with a convolution around",
            "[8, 7, 3]",
            &format!(
                "conv2d filters = 4, {same}, bias = false; batch_norm; relu name = \"r\"; conv2d filters = 6, {same}, strides = [2, 2], bias = false; batch_norm; relu; conv2d filters = 6, {same}, bias = false; batch_norm name = \"way\"; conv2d inputs = [\"r\"], filters = 6, kernel = [1, 1], strides = [2, 2], padding = \"SAME\", bias = false; batch_norm name = \"around\"; add inputs = [\"way\", \"around\"]; relu; global_avg_pool; dense units = 3"
            ),
            ce,
        ),
        model(
            "separable block",
            "[8, 7, 3]",
            &format!(
                "conv2d filters = 4, {same}, bias = false; batch_norm; clip max = 1.5; conv2d filters = 4, {same}, strides = [2, 2], groups = 4, bias = false; batch_norm; clip max = 1.5; conv2d filters = 6, kernel = [1, 1], bias = false; batch_norm; clip max = 1.5; global_avg_pool; dense units = 3"
            ),
            ce,
        ),
        model(
            "batch norm and its input added",
            "[5, 5, 2]",
            &format!(
                "conv2d filters = 3, {same}, name = \"a\"; batch_norm name = \"b\"; add inputs = [\"a\", \"b\"]; relu; flatten; dense units = 3"
            ),
            ce,
        ),
        model(
            "batch norm of a sum, branch after",
            "[5, 5, 2]",
            &format!(
                "conv2d filters = 3, {same}, name = \"a\"; batch_norm name = \"b\"; batch_norm name = \"c\", inputs = [\"a\"]; add inputs = [\"c\", \"b\"]; flatten; dense units = 3"
            ),
            ce,
        ),
        model(
            "a value added to itself",
            "[4, 4, 2]",
            &format!(
                "conv2d filters = 3, {same}, name = \"a\"; add inputs = [\"a\", \"a\"]; concat inputs = [\"a\", \"add_1\", \"a\"]; relu; flatten; dense units = 3"
            ),
            ce,
        ),
        model(
            "three branches",
            "[9, 6, 1]",
            "conv2d filters = 3, kernel = [2, 6], name = \"a2\"; relu name = \"a\"; conv2d filters = 2, kernel = [3, 6], inputs = [\"input\"]; relu; max_pool ksize = [7, 1], name = \"b\"; conv2d filters = 4, kernel = [4, 6], inputs = [\"input\"]; max_pool ksize = [6, 1], name = \"c\"; max_pool ksize = [8, 1], inputs = [\"a\"], name = \"d\"; concat inputs = [\"d\", \"b\", \"c\"]; flatten; dense units = 4",
            ce,
        ),
        model(
            "interleaved branches, both fused",
            "[8, 8, 1]",
            &format!(
                "conv2d filters = 3, {same}, name = \"a\"; conv2d filters = 3, {same}, inputs = [\"input\"], name = \"b\"; relu inputs = [\"a\"], name = \"ar\"; relu inputs = [\"b\"], name = \"br\"; max_pool ksize = [2, 2], inputs = [\"ar\"], name = \"ap\"; max_pool ksize = [2, 2], inputs = [\"br\"], name = \"bp\"; concat inputs = [\"ap\", \"bp\"]; flatten; dense units = 4"
            ),
            ce,
        ),
        model(
            "branches of one convolution",
            "[8, 8, 1]",
            &format!(
                "conv2d filters = 3, {same}, name = \"a\"; relu name = \"r\"; max_pool ksize = [2, 2], name = \"m\"; avg_pool ksize = [2, 2], inputs = [\"r\"], name = \"v\"; conv2d filters = 2, kernel = [2, 2], strides = [2, 2], inputs = [\"a\"], name = \"s\"; concat inputs = [\"m\", \"v\", \"s\"]; {CONV}; relu; flatten; dense units = 4"
            ),
            ce,
        ),
        model(
            "branches of a pool",
            "[8, 8, 1]",
            &format!(
                "{CONV}; relu; max_pool ksize = [2, 2], name = \"m\"; max_pool ksize = [3, 3], strides = [1, 1], padding = \"SAME\", name = \"n\"; conv2d filters = 4, {same}, inputs = [\"m\"], name = \"o\"; gelu inputs = [\"m\"], name = \"g\"; softmax inputs = [\"m\"], name = \"s\"; add inputs = [\"o\", \"n\", \"m\", \"g\", \"s\"]; flatten; dense units = 4"
            ),
            ce,
        ),
        model(
            "branches of a flat row",
            "[4, 4, 1]",
            "flatten name = \"f\"; dense units = 5, name = \"a\"; relu name = \"ar\"; dense units = 5, inputs = [\"f\"], name = \"b\"; dense units = 5, inputs = [\"ar\"], name = \"c\"; add inputs = [\"ar\", \"b\", \"c\"]; concat inputs = [\"add_1\", \"c\"]; dense units = 3",
            ce,
        ),
        model(
            "a convolution of a flat row",
            "[4, 4, 1]",
            &format!("flatten; dense units = 5; relu; conv2d filters = 6, {same}; relu; dense units = 3"),
            ce,
        ),
        model(
            "flatten read twice",
            "[3, 3, 2]",
            &format!(
                "conv2d filters = 2, {same}, name = \"a\"; flatten name = \"f\"; dense units = 4, name = \"d\"; flatten inputs = [\"a\"], name = \"g\"; dense units = 4; add inputs = [\"dense_2\", \"d\"]; concat inputs = [\"add_1\", \"f\"]; dense units = 3"
            ),
            ce,
        ),
        model(
            "a pool read with its convolution",
            "[6, 6, 1]",
            &format!(
                "conv2d filters = 2, {same}, name = \"a\"; max_pool ksize = [2, 2], name = \"p\"; relu name = \"q\"; conv2d filters = 2, kernel = [2, 2], strides = [2, 2], inputs = [\"a\"], name = \"b\"; add inputs = [\"q\", \"b\"]; flatten; dense units = 3"
            ),
            ce,
        ),
    ]
}

/// Layers that move numbers, and that make maps larger or smaller.
fn moved() -> Vec<Named> {
    let ce = CROSS_ENTROPY;
    let end = "relu; flatten; dense units = 3";
    vec![
        model(
            "slices of channels, joined the other way round",
            "[5, 6, 3]",
            &format!(
                "conv2d filters = 6, kernel = [3, 3], padding = \"SAME\", name = \"a\"; slice channels = [0, 2], name = \"s\"; slice inputs = [\"a\"], channels = [-4, 6], name = \"t\"; concat inputs = [\"t\", \"s\"]; {CONV}; {end}"
            ),
            ce,
        ),
        model(
            "slice of rows and columns by steps",
            "[7, 8, 2]",
            &format!("{CONV}; slice rows = [1, 6], columns = [0, -1], steps = [2, 3, 1]; {CONV}; {end}"),
            ce,
        ),
        model(
            "slice of the input, and every other channel",
            "[5, 5, 3]",
            &format!("slice channels = [0, 3], steps = [1, 1, 2]; {CONV}; {end}"),
            ce,
        ),
        model(
            "padding of every mode",
            "[4, 5, 2]",
            &format!(
                "pad cells = [1, 0, 2, 1], value = 0.5; {CONV}; pad cells = [2, 1, 0, 3], mode = \"reflect\"; {CONV}; pad cells = [1, 2, 3, 0], mode = \"edge\"; {CONV}; pad cells = [1, 1, 2, 2], channels = [1, 2], mode = \"wrap\"; {CONV}; {end}"
            ),
            ce,
        ),
        model(
            "padding of channels",
            "[3, 4, 2]",
            &format!("{CONV}; pad channels = [1, 2], value = -0.5; {CONV}; {end}"),
            ce,
        ),
        model(
            "channel shuffle after groups",
            "[5, 4, 3]",
            &format!(
                "conv2d filters = 6, kernel = [3, 3]; channel_shuffle groups = 3; conv2d filters = 4, kernel = [2, 2], groups = 2; {end}"
            ),
            ce,
        ),
        model(
            "depth to space and back",
            "[4, 5, 2]",
            &format!(
                "conv2d filters = 12, kernel = [3, 3], padding = \"SAME\"; depth_to_space block = 2; {CONV}; space_to_depth block = 2; {end}"
            ),
            ce,
        ),
        model(
            "pixel shuffle by 3 and unshuffle",
            "[3, 2, 2]",
            &format!(
                "conv2d filters = 18, kernel = [1, 1]; depth_to_space block = 3, order = \"channel_first\"; space_to_depth block = 3, order = \"channel_first\"; {CONV}; {end}"
            ),
            ce,
        ),
        model(
            "transposed axes",
            "[4, 5, 3]",
            &format!(
                "{CONV}; transpose order = [2, 0, 1]; conv2d filters = 3, kernel = [2, 2]; transpose order = [1, 0, 2]; {end}"
            ),
            ce,
        ),
        model(
            "resized by the nearest cell",
            "[5, 4, 2]",
            &format!(
                "{CONV}; resize scale = [2, 3]; {CONV}; resize size = [7, 5], round = \"ceil\", coordinates = \"half_pixel\"; resize scale = [0.6, 0.8], round = \"round_prefer_floor\"; {end}"
            ),
            ce,
        ),
        model(
            "resized bilinearly",
            "[5, 4, 2]",
            &format!(
                "{CONV}; resize scale = [2, 2], method = \"bilinear\"; {CONV}; resize size = [7, 11], method = \"bilinear\", coordinates = \"align_corners\"; resize size = [1, 3], method = \"bilinear\", coordinates = \"pytorch_half_pixel\"; {end}"
            ),
            ce,
        ),
        model(
            "transposed convolutions",
            "[4, 3, 2]",
            &format!(
                "conv2d_transpose filters = 5, kernel = [2, 2], strides = [2, 2]; relu; conv2d_transpose filters = 3, kernel = [3, 4], strides = [2, 3], padding = [1, 0, 2, 1], output_padding = [1, 2], bias = false; {CONV}; {end}"
            ),
            ce,
        ),
        model(
            "transposed convolutions with groups, dilations and strides beyond the filter",
            "[4, 3, 2]",
            &format!(
                "{CONV}; conv2d_transpose filters = 6, kernel = [3, 2], dilations = [2, 1], groups = 2; {CONV}; conv2d_transpose filters = 4, kernel = [1, 2], strides = [3, 3], groups = 4, padding = \"SAME\"; max_pool ksize = [2, 2]; {end}"
            ),
            ce,
        ),
        model(
            "transposed convolution first, read twice",
            "[3, 3, 1]",
            &format!(
                "conv2d_transpose filters = 3, kernel = [3, 3], strides = [2, 2], padding = \"SAME\", name = \"a\"; conv2d filters = 3, kernel = [3, 3], padding = \"SAME\"; add inputs = [\"conv2d_1\", \"a\"]; {end}"
            ),
            ce,
        ),
        model(
            "autoencoder",
            "[6, 6, 1]",
            "conv2d filters = 4, kernel = [3, 3], strides = [2, 2], padding = \"SAME\"; elu; conv2d_transpose filters = 3, kernel = [2, 2], strides = [2, 2]; silu; conv2d filters = 1, kernel = [3, 3], padding = \"SAME\"; flatten",
            Loss::MeanSquared,
        ),
    ]
}

/// Normalizations of one image, and reductions.
fn normalized() -> Vec<Named> {
    let ce = CROSS_ENTROPY;
    let end = "relu; flatten; dense units = 3";
    vec![
        model(
            "layer norm",
            "[4, 5, 2]",
            &format!(
                "conv2d filters = 7, kernel = [3, 3]; layer_norm; {CONV}; layer_norm epsilon = 1e-2; {end}; layer_norm; dense units = 3"
            ),
            ce,
        ),
        model(
            "group norm and instance norm",
            "[5, 4, 2]",
            &format!(
                "conv2d filters = 6, kernel = [3, 3], padding = \"SAME\"; group_norm groups = 3; {CONV}; instance_norm; {CONV}; group_norm groups = 1, epsilon = 1e-3; {end}"
            ),
            ce,
        ),
        model(
            "local response norm",
            "[4, 3, 2]",
            &format!(
                "conv2d filters = 7, kernel = [2, 2]; local_response_norm alpha = 0.5; {CONV}; local_response_norm size = 4, alpha = 0.3, beta = 0.6, bias = 1.5; {end}"
            ),
            ce,
        ),
        model(
            "length 1",
            "[4, 3, 2]",
            &format!(
                "{CONV}; l2_normalize; {CONV}; l2_normalize epsilon = 0.5; flatten; l2_normalize; dense units = 3"
            ),
            ce,
        ),
        model(
            "logarithms of softmax",
            "[3, 3, 2]",
            "conv2d filters = 4, kernel = [2, 2]; log_softmax; flatten; dense units = 3; log_softmax",
            ce,
        ),
        model(
            "factors and slopes",
            "[4, 4, 2]",
            &format!(
                "scale init = 0.5; {CONV}; prelu; {CONV}; scale init = 1e-2; {end}; prelu init = -0.5; dense units = 2; scale"
            ),
            ce,
        ),
        model(
            "reductions over height and width",
            "[5, 4, 2]",
            &format!(
                "{CONV}; reduce name = \"m\"; reduce inputs = [\"conv2d_1\"], how = \"sum\", name = \"s\"; reduce inputs = [\"conv2d_1\"], how = \"max\", name = \"x\"; concat inputs = [\"m\", \"s\", \"x\"]; dense units = 3"
            ),
            ce,
        ),
        model(
            "reductions over one axis",
            "[5, 4, 3]",
            &format!(
                "{CONV}; reduce over = [\"channels\"], name = \"c\"; reduce inputs = [\"conv2d_1\"], over = [\"channels\"], how = \"max\", name = \"x\"; concat inputs = [\"c\", \"x\"]; reduce over = [\"width\"], how = \"sum\"; reduce over = [\"height\"], how = \"max\"; dense units = 3"
            ),
            ce,
        ),
    ]
}

/// Gates, and other pairs of inputs.
fn gated() -> Vec<Named> {
    let ce = CROSS_ENTROPY;
    let end = "relu; flatten; dense units = 3";
    let same = "kernel = [3, 3], padding = \"SAME\"";
    vec![
        model(
            "squeeze and excitation",
            "[5, 4, 2]",
            &format!(
                "conv2d filters = 4, {same}, name = \"a\"; global_avg_pool; conv2d filters = 2, kernel = [1, 1]; silu; conv2d filters = 4, kernel = [1, 1]; sigmoid; multiply inputs = [\"a\", \"sigmoid_1\"]; {CONV}; {end}"
            ),
            ce,
        ),
        model(
            "a gate for each place, first",
            "[4, 5, 3]",
            &format!(
                "conv2d filters = 4, {same}, name = \"a\"; reduce over = [\"channels\"]; conv2d filters = 1, {same}; hard_sigmoid name = \"g\"; multiply inputs = [\"g\", \"a\"]; {end}"
            ),
            ce,
        ),
        model(
            "products, differences, the larger, the smaller",
            "[4, 4, 2]",
            &format!(
                "conv2d filters = 3, {same}, name = \"a\"; conv2d filters = 3, {same}, inputs = [\"input\"], name = \"b\"; multiply inputs = [\"a\", \"b\"], name = \"p\"; subtract inputs = [\"p\", \"a\"], name = \"d\"; maximum inputs = [\"d\", \"b\"], name = \"x\"; minimum inputs = [\"x\", \"p\"]; {CONV}; {end}"
            ),
            ce,
        ),
        model(
            "a value times itself, and half a gate",
            "[4, 4, 2]",
            &format!(
                "conv2d filters = 6, {same}, name = \"a\"; multiply inputs = [\"a\", \"a\"], name = \"m\"; slice channels = [0, 3], name = \"s\"; slice inputs = [\"m\"], channels = [3, 6]; sigmoid; multiply inputs = [\"s\", \"sigmoid_1\"]; {end}"
            ),
            ce,
        ),
        model(
            "sums and differences spread over maps",
            "[4, 3, 2]",
            &format!(
                "conv2d filters = 3, {same}, name = \"a\"; global_max_pool name = \"g\"; add inputs = [\"a\", \"g\"]; subtract inputs = [\"g\", \"add_1\"]; reduce over = [\"width\"], name = \"w\"; maximum inputs = [\"w\", \"a\"]; {end}"
            ),
            ce,
        ),
    ]
}

/// Models whose training draws masks, for predictions alone.
pub fn with_dropout() -> Vec<Named> {
    vec![
        model(
            "dropout in place and not",
            "[6, 6, 1]",
            &format!(
                "{CONV}; dropout rate = 0.4; relu; dropout rate = 0.3; {POOL}; dropout rate = 0.5; flatten; dense units = 6; relu; dropout rate = 0.5; dense units = 4"
            ),
            CROSS_ENTROPY,
        ),
        model(
            "dropout first and last",
            "[5, 5, 2]",
            &format!("dropout rate = 0.4; {CONV}; flatten; dense units = 6; dropout rate = 0.5"),
            CROSS_ENTROPY,
        ),
    ]
}
