use wgrad::autodiff::gradients_from;
use wgrad::graph::{Graph, ValueType};
use wgrad::ops::scale::Scale;
use wgrad::{Session, SessionOptions};

use super::normal;
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::assert_close;

#[test]
fn values_and_gradient() {
    let Some(device) = gpu::device() else { return };
    let (x, dy) = (normal(&[2, 5, 3], 1), normal(&[2, 5, 3], 2));
    let mut graph = Graph::new();
    let (x_var, dy_var) = (graph.input("x", [5, 3]), graph.input("dy", [5, 3]));
    let factor = graph.persistent("factor", ValueType::fixed([]), "factor", 0);
    let y = graph.apply("scale", Scale, &[x_var, factor]);
    let dx = gradients_from(&mut graph, &[(y, dy_var)], &[x_var]).unwrap()[0];
    let options = SessionOptions::training(2).guarded();
    let session = Session::new(device, &graph, &[y, dx], options).unwrap();
    session.set(x_var, &x.to_f32()).unwrap();
    session.set(dy_var, &dy.to_f32()).unwrap();
    session.set(factor, &[-2.5]).unwrap();
    session.run().unwrap();
    session.check_guards().unwrap();
    let scaled = |t: &crate::reference::Tensor| t.map(|v| -2.5 * v);
    assert_close("y", &session.get(y).unwrap(), &scaled(&x), Tolerance::F32);
    assert_close(
        "dx",
        &session.get(dx).unwrap(),
        &scaled(&dy),
        Tolerance::F32,
    );
}

#[test]
fn the_factor_is_one_number() {
    let mut graph = Graph::new();
    let x = graph.input("x", [5]);
    graph.apply("scale", Scale, &[x, x]);
    assert_eq!(
        graph.check().unwrap_err().to_string(),
        "layer `scale` (scale): the factor must be one number for the whole batch, its shape is \
         [5] per sample"
    );
}
