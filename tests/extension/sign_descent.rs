//! An update rule from outside.

use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::random::Seed;
use wgrad::shader::Shader;
use wgrad::train::{Model, Trainer, UpdateRule};

use super::gpu;

/// `w ← w − η·sign(m)`.
#[derive(Clone, Copy, Debug)]
struct SignDescent {
    learning_rate: f64,
    momentum: f64,
    source: &'static str,
}

impl SignDescent {
    fn new(learning_rate: f64, momentum: f64) -> Self {
        Self {
            learning_rate,
            momentum,
            source: include_str!("sign_descent.wgsl"),
        }
    }
}

impl UpdateRule for SignDescent {
    fn name(&self) -> &'static str {
        "sign_descent"
    }

    fn shader(&self) -> Shader {
        Shader::new("sign_descent", self.source)
    }

    fn moments(&self) -> usize {
        1
    }

    fn constants(&self) -> Vec<(&'static str, f64)> {
        vec![("momentum", self.momentum)]
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }
}

fn digits() -> Dataset {
    wgrad::data::digits().split(0.25, Seed(1)).0
}

fn model(device: &wgrad::Device) -> Model {
    let mut net = Network::input([1, 8, 8]);
    net.conv(5, 3).padding(1).prelu().max_pool(2).linear(10);
    net.build(device, 3).unwrap()
}

/// Every parameter of the model, one after the other.
fn all(model: &Model) -> Vec<f32> {
    let names = model.parameters().iter().map(|p| &p.name);
    names
        .flat_map(|name| model.parameter(name).unwrap())
        .collect()
}

/// The rate is a power of two and the parameters are small, so that a step is nearly exact.
#[test]
fn a_step_moves_each_parameter_by_the_rate() {
    let Some(device) = gpu::device() else { return };
    let rate = 1.0 / 1024.0;
    let data = digits();
    let mut model = model(device);
    model
        .configure("linear1.bias", |p| p.learning_rate_factor = 4.0)
        .unwrap();
    let before = all(&model);
    let trainer = Trainer::new(SignDescent::new(rate, 0.0)).batch_size(32);
    trainer.start(&mut model, &data).unwrap().step().unwrap();
    let after = all(&model);
    let biases = before.len() - 10;
    let mut moved = 0;
    for (i, (a, b)) in after.iter().zip(&before).enumerate() {
        let factor = if i < biases { 1.0 } else { 4.0 };
        let change = f64::from((a - b).abs()) / (rate * factor);
        let by_the_rate = (change - 1.0).abs() < 1e-3;
        assert!(
            change == 0.0 || by_the_rate,
            "parameter {i} moved by {change}"
        );
        moved += usize::from(by_the_rate);
    }
    // A pixel at the border that is always white moves nothing.
    assert!(moved * 10 > before.len() * 9, "{moved} of {}", before.len());
}

#[test]
fn it_trains_and_follows_the_schedule() {
    let Some(device) = gpu::device() else { return };
    let data = digits();
    let mut model = model(device);
    let trainer = Trainer::new(SignDescent::new(0.01, 0.9))
        .epochs(4)
        .batch_size(32)
        .progress(false)
        .schedule(|step| if step < 40 { 1.0 } else { 0.2 });
    let first = model.evaluate(&data).unwrap().loss;
    let run = trainer.fit(&mut model, &data, &data).unwrap();
    let last = run.evaluation.unwrap();
    assert!(last.loss < 0.3 * first, "loss {} from {first}", last.loss);
    assert!(last.accuracy > Some(0.9), "{:?}", last.accuracy);
}

#[test]
fn a_rule_that_binds_what_there_is_not_is_refused() {
    let Some(device) = gpu::device() else { return };
    let source = "
@group(0) @binding(0) var<storage, read_write> weights: array<vec4f>;
@compute @workgroup_size(64)
fn main() { weights[0] = vec4f(); }";
    let rule = SignDescent {
        source,
        ..SignDescent::new(0.1, 0.0)
    };
    let trainer = Trainer::new(rule);
    let data = digits();
    let mut model = model(device);
    let message = trainer.start(&mut model, &data).unwrap_err().to_string();
    assert_eq!(
        message,
        "shader `sign_descent`: nothing is bound to `weights`"
    );
}
