//! A network with parameters of every kind, for update rules to move: a linear
//! layer, PReLU, a linear layer, the mean squared error. It is what PyTorch
//! trained for `tests/golden/rules.safetensors`.

use super::{Factors, Reduction, Tensor, linear, mse, prelu};
use std::collections::BTreeMap;

/// Parameters or gradients by name: `linear1.weight`, `linear1.bias`,
/// `prelu1.weight`, `linear2.weight`, `linear2.bias`.
pub type Named = BTreeMap<String, Tensor>;

/// Loss and gradients over all samples `x`.
pub fn gradients(p: &Named, x: &Tensor, targets: &Tensor) -> (f64, Named) {
    let a = linear::forward(x, &p["linear1.weight"], Some(&p["linear1.bias"]));
    let b = prelu::forward(&a, &p["prelu1.weight"]);
    let y = linear::forward(&b, &p["linear2.weight"], Some(&p["linear2.bias"]));
    let delta = mse::grad_prediction(&y, targets, Reduction::Mean);
    let mut g = Named::new();
    g.insert("linear2.weight".into(), linear::grad_weight(&b, &delta));
    g.insert("linear2.bias".into(), linear::grad_bias(&delta));
    let delta = linear::grad_input(&delta, &p["linear2.weight"]);
    let slope = prelu::grad_slope(&a, &p["prelu1.weight"], &delta);
    g.insert("prelu1.weight".into(), slope);
    let delta = prelu::grad_input(&a, &p["prelu1.weight"], &delta);
    g.insert("linear1.weight".into(), linear::grad_weight(x, &delta));
    g.insert("linear1.bias".into(), linear::grad_bias(&delta));
    (mse::forward(&y, targets, Reduction::Mean), g)
}

/// Moves a parameter, which it is told by name, along its gradient.
pub type Update = Box<dyn FnMut(&str, &mut Tensor, &Tensor, Factors)>;

/// An update rule with a state for each parameter: `fresh` makes it for a
/// parameter of this shape, `step` gets name, weight, gradient, state, factors.
pub fn update<S: 'static>(
    fresh: impl Fn(&[usize]) -> S + 'static,
    step: impl Fn(&str, &mut Tensor, &Tensor, &mut S, Factors) + 'static,
) -> Update {
    let mut states: BTreeMap<String, S> = BTreeMap::new();
    Box::new(move |name, weight, gradient, factors| {
        let fresh = || fresh(&gradient.shape);
        let state = states.entry(name.to_owned()).or_insert_with(fresh);
        step(name, weight, gradient, state, factors);
    })
}
