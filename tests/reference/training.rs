//! Whole training runs by the references against PyTorch's: ten steps of three
//! networks, forward, backward and update, from `tests/golden/training_*`.
//!
//! What the single operators' tests cannot show, their order and their joints,
//! shows here; and these three functions are what the engine's graphs stand
//! for, written out.

use super::pytorch::{assert_close, read};
use super::*;
use safetensors::SafeTensors;
use std::collections::BTreeMap;

/// Parameters, running statistics or gradients by name.
type Named = BTreeMap<String, Tensor>;

/// Loss and gradients of one step; running statistics are updated in place.
type Step = fn(&mut Named, &Tensor, &Tensor) -> (f64, Named);

/// Trains as the file says and compares every loss and every final value.
/// `update` gets a parameter's name, the parameter, its gradient and factors.
fn replay(file: &[u8], step: Step, mut update: impl FnMut(&str, &mut Tensor, &Tensor, Factors)) {
    let file = SafeTensors::deserialize(file).expect("a safetensors file");
    let named = |prefix: &str| -> Named {
        let names = file.names();
        let names = names.iter().filter_map(|name| name.strip_prefix(prefix));
        names
            .map(|name| (name.to_string(), read(&file, &format!("{prefix}{name}"))))
            .collect()
    };
    let mut state = named("initial.");
    let inputs = read(&file, "inputs");
    let labelled = file.tensor("labels").is_ok();
    let expected = read(&file, if labelled { "labels" } else { "targets" });

    let mut losses = Vec::new();
    for s in 0..inputs.shape[0] {
        let (loss, gradients) = step(&mut state, &row(&inputs, s), &row(&expected, s));
        losses.push(loss);
        for (name, gradient) in &gradients {
            let weight = state.get_mut(name).expect("a gradient has its parameter");
            // By default decay reaches filters and linear weights only.
            let decays = name.ends_with(".weight")
                && (name.starts_with("conv") || name.starts_with("linear"));
            let weight_decay = if decays { 1.0 } else { 0.0 };
            update(
                name,
                weight,
                gradient,
                Factors {
                    weight_decay,
                    ..Factors::default()
                },
            );
        }
    }
    assert_close(
        "losses",
        &Tensor::new(&[losses.len()], losses),
        &read(&file, "losses"),
    );
    let last = named("final.");
    assert_eq!(
        state.keys().collect::<Vec<_>>(),
        last.keys().collect::<Vec<_>>()
    );
    for (name, expected) in &last {
        assert_close(name, &state[name], expected);
    }
}

/// The `s`-th of the tensors stacked along axis 0.
fn row(stacked: &Tensor, s: usize) -> Tensor {
    let shape = &stacked.shape[1..];
    let length: usize = shape.iter().product();
    Tensor::new(shape, stacked.data[s * length..(s + 1) * length].to_vec())
}

fn height_and_width(x: &Tensor) -> [usize; 2] {
    [x.shape[2], x.shape[3]]
}

/// Cross-entropy's mean and its gradient; labels come as whole numbers.
fn cross_entropy(logits: &Tensor, labels: &Tensor) -> (f64, Tensor) {
    let labels: Vec<u32> = labels.data.iter().map(|&label| label as u32).collect();
    let loss = softmax_cross_entropy::forward(logits, &labels, Reduction::Mean);
    (
        loss,
        softmax_cross_entropy::grad_logits(logits, &labels, Reduction::Mean),
    )
}

/// `conv1 prelu1 pool conv2 prelu2 pool flatten linear1 prelu3 linear2`.
fn plain(p: &mut Named, x: &Tensor, labels: &Tensor) -> (f64, Named) {
    let conv = conv2d::Attributes {
        padding: [[1; 2], [1; 2]],
        ..conv2d::Attributes::new([3, 3])
    };
    let pool = max_pool2d::Attributes::new([2, 2]);
    let a1 = conv2d::forward(x, &p["conv1.weight"], Some(&p["conv1.bias"]), &conv);
    let b1 = prelu::forward(&a1, &p["prelu1.weight"]);
    let c1 = max_pool2d::forward(&b1, &pool);
    let a2 = conv2d::forward(&c1.y, &p["conv2.weight"], Some(&p["conv2.bias"]), &conv);
    let b2 = prelu::forward(&a2, &p["prelu2.weight"]);
    let c2 = max_pool2d::forward(&b2, &pool);
    let flat = reshape::flatten(&c2.y);
    let a3 = linear::forward(&flat, &p["linear1.weight"], Some(&p["linear1.bias"]));
    let b3 = prelu::forward(&a3, &p["prelu3.weight"]);
    let logits = linear::forward(&b3, &p["linear2.weight"], Some(&p["linear2.bias"]));
    let (loss, delta) = cross_entropy(&logits, labels);

    let mut g = Named::new();
    g.insert("linear2.weight".into(), linear::grad_weight(&b3, &delta));
    g.insert("linear2.bias".into(), linear::grad_bias(&delta));
    let delta = linear::grad_input(&delta, &p["linear2.weight"]);
    g.insert(
        "prelu3.weight".into(),
        prelu::grad_slope(&a3, &p["prelu3.weight"], &delta),
    );
    let delta = prelu::grad_input(&a3, &p["prelu3.weight"], &delta);
    g.insert("linear1.weight".into(), linear::grad_weight(&flat, &delta));
    g.insert("linear1.bias".into(), linear::grad_bias(&delta));
    let delta = linear::grad_input(&delta, &p["linear1.weight"]);
    let delta = reshape::grad_input(&delta, &c2.y.shape);
    let delta = max_pool2d::grad_input(&delta, &c2.argmax, height_and_width(&b2));
    g.insert(
        "prelu2.weight".into(),
        prelu::grad_slope(&a2, &p["prelu2.weight"], &delta),
    );
    let delta = prelu::grad_input(&a2, &p["prelu2.weight"], &delta);
    g.insert(
        "conv2.weight".into(),
        conv2d::grad_weight(&c1.y, &delta, &conv),
    );
    g.insert("conv2.bias".into(), conv2d::grad_bias(&delta));
    let delta = conv2d::grad_input(&delta, &p["conv2.weight"], height_and_width(&c1.y), &conv);
    let delta = max_pool2d::grad_input(&delta, &c1.argmax, height_and_width(&b1));
    g.insert(
        "prelu1.weight".into(),
        prelu::grad_slope(&a1, &p["prelu1.weight"], &delta),
    );
    let delta = prelu::grad_input(&a1, &p["prelu1.weight"], &delta);
    g.insert("conv1.weight".into(), conv2d::grad_weight(x, &delta, &conv));
    g.insert("conv1.bias".into(), conv2d::grad_bias(&delta));
    (loss, g)
}

/// Forward through the layer `name`, its running statistics updated.
fn normalise(p: &mut Named, name: &str, x: &Tensor) -> Tensor {
    let (weight, bias) = (&p[&format!("{name}.weight")], &p[&format!("{name}.bias")]);
    let out = batch_norm::forward_training(x, weight, bias, 1e-5);
    for (which, batch) in [("mean", &out.mean), ("var", &out.unbiased_variance)] {
        let running = p
            .get_mut(&format!("{name}.running_{which}"))
            .expect("running statistic");
        *running = batch_norm::running_update(running, batch, 0.1);
    }
    out.y
}

/// `conv1 bn1 relu conv2 bn2 leaky_relu mean_pool flatten linear1`.
fn batchnorm(p: &mut Named, x: &Tensor, labels: &Tensor) -> (f64, Named) {
    let conv1 = conv2d::Attributes {
        stride: [2, 2],
        padding: [[2; 2], [1; 2]],
        ..conv2d::Attributes::new([5, 3])
    };
    let conv2 = conv2d::Attributes {
        padding: [[2; 2], [2; 2]],
        dilation: [2, 2],
        groups: 5,
        ..conv2d::Attributes::new([3, 3])
    };
    let pool = mean_pool2d::Attributes {
        padding: [[0; 2], [1; 2]],
        ceil_mode: true,
        count_include_pad: false,
        ..mean_pool2d::Attributes::new([2, 2])
    };
    let a1 = conv2d::forward(x, &p["conv1.weight"], None, &conv1);
    let b1 = normalise(p, "bn1", &a1);
    let c1 = relu::forward(&b1);
    let a2 = conv2d::forward(&c1, &p["conv2.weight"], Some(&p["conv2.bias"]), &conv2);
    let b2 = normalise(p, "bn2", &a2);
    let c2 = leaky_relu::forward(&b2, 0.1);
    let d2 = mean_pool2d::forward(&c2, &pool);
    let flat = reshape::flatten(&d2);
    let logits = linear::forward(&flat, &p["linear1.weight"], Some(&p["linear1.bias"]));
    let (loss, delta) = cross_entropy(&logits, labels);

    let mut g = Named::new();
    g.insert("linear1.weight".into(), linear::grad_weight(&flat, &delta));
    g.insert("linear1.bias".into(), linear::grad_bias(&delta));
    let delta = linear::grad_input(&delta, &p["linear1.weight"]);
    let delta = reshape::grad_input(&delta, &d2.shape);
    let delta = mean_pool2d::grad_input(&delta, height_and_width(&c2), &pool);
    let delta = leaky_relu::grad_input(&b2, &delta, 0.1);
    let norm = batch_norm::grad_training(&a2, &p["bn2.weight"], &delta, 1e-5);
    g.insert("bn2.weight".into(), norm.weight);
    g.insert("bn2.bias".into(), norm.bias);
    g.insert(
        "conv2.weight".into(),
        conv2d::grad_weight(&c1, &norm.x, &conv2),
    );
    g.insert("conv2.bias".into(), conv2d::grad_bias(&norm.x));
    let delta = conv2d::grad_input(&norm.x, &p["conv2.weight"], height_and_width(&c1), &conv2);
    let delta = relu::grad_input(&b1, &delta);
    let norm = batch_norm::grad_training(&a1, &p["bn1.weight"], &delta, 1e-5);
    g.insert("bn1.weight".into(), norm.weight);
    g.insert("bn1.bias".into(), norm.bias);
    g.insert(
        "conv1.weight".into(),
        conv2d::grad_weight(x, &norm.x, &conv1),
    );
    (loss, g)
}

/// `t = tanh(conv1)`, `r = relu(conv2(t) + t)`, `concat(r, conv3(r))`, global
/// mean, `linear1`, squared error.
fn residual(p: &mut Named, x: &Tensor, target: &Tensor) -> (f64, Named) {
    let conv1 = conv2d::Attributes {
        padding: [[1; 2], [1; 2]],
        ..conv2d::Attributes::new([3, 3])
    };
    let conv2 = conv2d::Attributes::new([1, 1]);
    let conv3 = conv2d::Attributes { groups: 8, ..conv1 };
    let t = tanh::forward(&conv2d::forward(
        x,
        &p["conv1.weight"],
        Some(&p["conv1.bias"]),
        &conv1,
    ));
    let branch = conv2d::forward(&t, &p["conv2.weight"], Some(&p["conv2.bias"]), &conv2);
    let sum = add::forward(&branch, &t);
    let r = relu::forward(&sum);
    let depthwise = conv2d::forward(&r, &p["conv3.weight"], Some(&p["conv3.bias"]), &conv3);
    let joined = concat::forward(&[&r, &depthwise]);
    let features = reshape::flatten(&global_mean_pool::forward(&joined));
    let y = linear::forward(&features, &p["linear1.weight"], Some(&p["linear1.bias"]));
    let loss = mse::forward(&y, target, Reduction::Mean);

    let mut g = Named::new();
    let size = height_and_width(x);
    let delta = mse::grad_prediction(&y, target, Reduction::Mean);
    g.insert(
        "linear1.weight".into(),
        linear::grad_weight(&features, &delta),
    );
    g.insert("linear1.bias".into(), linear::grad_bias(&delta));
    let delta = linear::grad_input(&delta, &p["linear1.weight"]);
    let delta = global_mean_pool::grad_input(&delta, size);
    let parts = concat::grad_inputs(&delta, &[8, 8]);
    g.insert(
        "conv3.weight".into(),
        conv2d::grad_weight(&r, &parts[1], &conv3),
    );
    g.insert("conv3.bias".into(), conv2d::grad_bias(&parts[1]));
    let through = conv2d::grad_input(&parts[1], &p["conv3.weight"], size, &conv3);
    let delta = relu::grad_input(&sum, &add::forward(&parts[0], &through));
    let [branch, shortcut] = add::grad_inputs(&delta);
    g.insert(
        "conv2.weight".into(),
        conv2d::grad_weight(&t, &branch, &conv2),
    );
    g.insert("conv2.bias".into(), conv2d::grad_bias(&branch));
    let through = conv2d::grad_input(&branch, &p["conv2.weight"], size, &conv2);
    let delta = tanh::grad_input(&t, &add::forward(&through, &shortcut));
    g.insert(
        "conv1.weight".into(),
        conv2d::grad_weight(x, &delta, &conv1),
    );
    g.insert("conv1.bias".into(), conv2d::grad_bias(&delta));
    (loss, g)
}

fn replay_sgd(file: &[u8], step: Step, a: &sgd::Attributes) {
    let mut velocities: BTreeMap<String, Option<Tensor>> = BTreeMap::new();
    replay(file, step, |name, weight, gradient, factors| {
        let velocity = velocities.entry(name.to_string()).or_default();
        sgd::step(weight, gradient, velocity, factors, a);
    });
}

#[test]
fn ten_steps_of_plain() {
    let a = sgd::Attributes {
        momentum: 0.9,
        weight_decay: 1e-3,
        ..sgd::Attributes::new(0.05)
    };
    replay_sgd(
        include_bytes!("../golden/training_plain.safetensors"),
        plain,
        &a,
    );
}

#[test]
fn ten_steps_of_batchnorm() {
    let a = sgd::Attributes {
        momentum: 0.9,
        weight_decay: 1e-3,
        nesterov: true,
        ..sgd::Attributes::new(0.05)
    };
    replay_sgd(
        include_bytes!("../golden/training_batchnorm.safetensors"),
        batchnorm,
        &a,
    );
}

#[test]
fn ten_steps_of_residual() {
    let a = adam::Attributes {
        weight_decay: 0.01,
        ..adam::Attributes::new(0.01)
    };
    let mut states: BTreeMap<String, adam::State> = BTreeMap::new();
    let file = include_bytes!("../golden/training_residual.safetensors");
    replay(file, residual, |name, weight, gradient, factors| {
        let fresh = || adam::State::new(&gradient.shape);
        let state = states.entry(name.to_string()).or_insert_with(fresh);
        adamw::step(weight, gradient, state, factors, &a);
    });
}
