//! The operator's response and gradients against f64 and central differences.

use wgrad::graph::{Graph, Var};
use wgrad::{Device, Session, SessionOptions};

use super::gpu;
use super::swish::SwishLayer;

const BATCH: usize = 2;
const CHANNELS: usize = 5;
const POSITIONS: usize = 3 * 4;

fn swish(x: f64, a: f64) -> f64 {
    let sharpness = a.exp().ln_1p();
    x / (1.0 + (-sharpness * x).exp())
}

/// Some numbers between -2 and 2, exact in f32.
fn numbers(len: usize, start: usize) -> Vec<f32> {
    let number = |i: usize| ((i * 37 + start * 11) % 129) as f32 / 32.0 - 2.0;
    (0..len).map(number).collect()
}

/// Σ dy · swish(x), whose gradients are asked for.
fn total(x: &[f64], a: &[f64], dy: &[f64]) -> f64 {
    let terms = x.iter().zip(dy).enumerate();
    let channel = |i: usize| i / POSITIONS % CHANNELS;
    terms
        .map(|(i, (x, dy))| dy * swish(*x, a[channel(i)]))
        .sum()
}

/// Central differences of `f` at `at`.
fn differences(at: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let step = 1e-5;
    let shifted = |i: usize, by: f64| {
        let mut point = at.to_vec();
        point[i] += by;
        f(&point)
    };
    (0..at.len())
        .map(|i| (shifted(i, step) - shifted(i, -step)) / (2.0 * step))
        .collect()
}

fn assert_close(what: &str, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let size = expected.iter().map(|e| e * e).sum::<f64>() / expected.len() as f64;
    assert!(size > 1e-4, "{what} vanishes");
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*f) - e).abs();
        let close = error <= 1e-5 * (size.sqrt() + e.abs());
        assert!(close, "{what}[{i}] is {f}, not {e}");
    }
}

/// A graph with δ of the response as an input: y, x, a, dy and the gradients of x and a.
fn graph() -> (Graph, [Var; 6]) {
    let mut graph = Graph::new();
    let x = graph.input("x", [CHANNELS, 3, 4]);
    let y = graph.swish(x, 0.0);
    let a = graph.find_parameter("swish1.sharpness").unwrap();
    let dy = graph.input("dy", [CHANNELS, 3, 4]);
    let found = wgrad::autodiff::gradients_from(&mut graph, &[(y, dy)], &[x, a]).unwrap();
    (graph, [y, x, a, dy, found[0], found[1]])
}

fn run(device: &Device, x: &[f32], a: &[f32], dy: &[f32]) -> [Vec<f32>; 3] {
    let (graph, [y, x_var, a_var, dy_var, dx, da]) = graph();
    let options = SessionOptions::training(BATCH).guarded();
    let session = Session::new(device, &graph, &[y, dx, da], options).unwrap();
    session.set(x_var, x).unwrap();
    session.set(a_var, a).unwrap();
    session.set(dy_var, dy).unwrap();
    session.run().unwrap();
    session.check_guards().unwrap();
    [y, dx, da].map(|var| session.get(var).unwrap())
}

#[test]
fn response_and_gradients_are_those_of_the_formula() {
    let Some(device) = gpu::device() else { return };
    let len = BATCH * CHANNELS * POSITIONS;
    let (x, dy) = (numbers(len, 1), numbers(len, 2));
    let a = numbers(CHANNELS, 3);
    let [y, dx, da] = run(device, &x, &a, &dy);
    let [x, a, dy] = [&x, &a, &dy].map(|v| v.iter().map(|&n| f64::from(n)).collect::<Vec<_>>());
    let response: Vec<f64> = (0..len)
        .map(|i| swish(x[i], a[i / POSITIONS % CHANNELS]))
        .collect();
    assert_close("y", &y, &response);
    assert_close("dx", &dx, &differences(&x, |x| total(x, &a, &dy)));
    assert_close("da", &da, &differences(&a, |a| total(&x, a, &dy)));
}

#[test]
fn a_wrong_operand_is_refused_with_the_layer_and_the_shapes() {
    let mut graph = Graph::new();
    let x = graph.input("x", [4, 2, 2]);
    let a = graph.input("a", [3]);
    graph.apply("gate", super::swish::Swish, &[x, a]);
    assert_eq!(
        graph.check().unwrap_err().to_string(),
        "layer `gate` (swish): [3] sharpnesses for an input of [4, 2, 2]"
    );
}
