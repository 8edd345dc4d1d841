//! What He's theory predicts of a network: mean and mean square of each response, and the mean
//! square of each gradient, layer by layer.
//!
//! He, Zhang, Ren and Sun, "Delving deep into rectifiers" (ICCV 2015), §2.2. With n terms in the
//! sum of one response and weights of mean square `w²`, `E[y²] = n·w²·E[x²]`; behind a rectifier
//! of slope a, for a response that is normal with mean 0, `E[x²] = ½(1 + a²)·E[y²]`. Backward,
//! `E[δx²] = n̂·w²·E[δy²]` with n̂ responses that one element takes part in. The theory is extended
//! in the obvious way to means other than 0 (rectified normal numbers), normalisation, sums and
//! pooling. It knows nothing of zeros around images, nor of elements that depend on each other.

use crate::graph::{Graph, Node, Var};

/// Mean and mean square.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Expected {
    pub(super) mean: f64,
    pub(super) square: f64,
}

impl Expected {
    pub(super) fn variance(self) -> f64 {
        self.square - self.mean * self.mean
    }

    /// Behind a rectifier of this slope, for normal numbers; and the mean square of the
    /// rectifier's derivative.
    fn rectified(self, slope: f64) -> (Self, f64) {
        let deviation = self.variance().max(0.0).sqrt();
        if deviation == 0.0 {
            return (self, 1.0);
        }
        let z = self.mean / deviation;
        let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let positive = normal_cdf(z);
        let mean_above = self.mean * positive + deviation * density;
        let square_above = self.square * positive + self.mean * deviation * density;
        let rectified = Self {
            mean: mean_above + slope * (self.mean - mean_above),
            square: square_above + slope * slope * (self.square - square_above),
        };
        (rectified, positive + slope * slope * (1.0 - positive))
    }
}

/// Φ(z), the distribution function of the standard normal law, to 1e-7 (Abramowitz and Stegun,
/// Handbook of mathematical functions, 26.2.17).
fn normal_cdf(z: f64) -> f64 {
    const B: [f64; 5] = [
        0.319_381_530,
        -0.356_563_782,
        1.781_477_937,
        -1.821_255_978,
        1.330_274_429,
    ];
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let polynomial = B.iter().rev().fold(0.0, |sum, b| (sum + b) * t);
    let tail = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt() * polynomial;
    if z > 0.0 { 1.0 - tail } else { tail }
}

/// What is known of the parameters that a node reads.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Learned {
    /// Mean square of its filters or linear weights.
    pub(super) weights: Option<f64>,
    /// Mean square of the scale of a normalisation; 1 without one.
    pub(super) scale: f64,
    /// Mean, and mean square, of its bias or shift.
    pub(super) shift: [f64; 2],
}

/// The theory's numbers by value; `None` where it has none.
pub(super) struct Theory<'a> {
    graph: &'a Graph,
    responses: Vec<Option<Expected>>,
    gradients: Vec<Option<f64>>,
}

impl<'a> Theory<'a> {
    /// Starts from the measured input.
    pub(super) fn new(graph: &'a Graph, input: Var, measured: Expected) -> Self {
        let mut responses = vec![None; graph.values().len()];
        responses[input.0] = Some(measured);
        Self {
            graph,
            responses,
            gradients: vec![None; graph.values().len()],
        }
    }

    pub(super) fn response(&self, var: Var) -> Option<Expected> {
        self.responses[var.0]
    }

    pub(super) fn gradient(&self, var: Var) -> Option<f64> {
        self.gradients[var.0]
    }

    /// Elements of a value, per sample.
    fn elements(&self, var: Var) -> f64 {
        self.graph.shape(var).elements() as f64
    }

    /// Multiplications of a weighted node, per sample.
    fn products(&self, node: &Node) -> f64 {
        let types = |vars: &[Var]| vars.iter().map(|v| self.graph.type_of(*v)).collect();
        let (inputs, outputs): (Vec<_>, Vec<_>) = (types(&node.inputs), types(&node.outputs));
        node.operator.flops(&inputs, &outputs, 1) as f64 / 2.0
    }

    /// The response of a node from those of its operands.
    pub(super) fn forward(&mut self, node: &Node, learned: Learned) {
        let (Some(&x), Some(&y)) = (node.inputs.first(), node.outputs.first()) else {
            return;
        };
        self.responses[y.0] = self.predict(node, learned, x, y);
    }

    fn predict(&self, node: &Node, learned: Learned, x: Var, y: Var) -> Option<Expected> {
        let operand = self.responses[x.0];
        let [shift, shift_square] = learned.shift;
        if let Some(weights) = learned.weights {
            let terms = self.products(node) / self.elements(y);
            return Some(Expected {
                mean: shift,
                square: terms * weights * operand?.square + shift_square,
            });
        }
        if let Some(slope) = node.operator.rectifier_slope() {
            return Some(operand?.rectified(slope).0);
        }
        match node.operator.name() {
            "batch_norm" | "group_norm" => Some(Expected {
                mean: shift,
                square: learned.scale + shift_square,
            }),
            "add" => self.operands(node).try_fold(
                Expected {
                    mean: 0.0,
                    square: 0.0,
                },
                |sum, next| {
                    let (mean, next) = (sum.mean, next?);
                    let variance = sum.variance() + next.variance();
                    let mean = mean + next.mean;
                    Some(Expected {
                        mean,
                        square: variance + mean * mean,
                    })
                },
            ),
            "concat" => {
                let total = self.elements(y);
                let parts = node.inputs.iter().map(|&v| {
                    let (share, part) = (self.elements(v) / total, self.responses[v.0]?);
                    Some((share * part.mean, share * part.square))
                });
                let parts: Option<Vec<(f64, f64)>> = parts.collect();
                parts.map(|parts| Expected {
                    mean: parts.iter().map(|p| p.0).sum(),
                    square: parts.iter().map(|p| p.1).sum(),
                })
            }
            _ if passes_on(node) => operand,
            _ => None,
        }
    }

    fn operands<'b>(&'b self, node: &'b Node) -> impl Iterator<Item = Option<Expected>> + 'b {
        node.inputs.iter().map(|v| self.responses[v.0])
    }

    /// Starts the way back: the measured mean square of the gradient of the network's response.
    pub(super) fn begin_backward(&mut self, response: Var, measured: f64) {
        self.gradients[response.0] = Some(measured);
    }

    /// Adds what a node gives to the gradients of its operands. `readers` counts, for every value,
    /// the readers that were not yet seen; a value with one left of unknown effect stays unknown.
    pub(super) fn backward(&mut self, node: &Node, learned: Learned, unknown: &mut [bool]) {
        let Some(&y) = node.outputs.first() else {
            return;
        };
        let delta = self.gradients[y.0].filter(|_| !unknown[y.0]);
        for (operand, &x) in node.inputs.iter().enumerate() {
            let single = matches!(node.operator.name(), "add" | "concat");
            if operand > 0 && !single {
                return;
            }
            match delta.and_then(|delta| self.passed_back(node, learned, x, y, delta)) {
                Some(square) => *self.gradients[x.0].get_or_insert(0.0) += square,
                None => unknown[x.0] = true,
            }
        }
    }

    fn passed_back(
        &self,
        node: &Node,
        learned: Learned,
        x: Var,
        y: Var,
        delta: f64,
    ) -> Option<f64> {
        let ratio = self.elements(y) / self.elements(x);
        if let Some(weights) = learned.weights {
            return Some(self.products(node) / self.elements(x) * weights * delta);
        }
        if let Some(slope) = node.operator.rectifier_slope() {
            return Some(self.responses[x.0]?.rectified(slope).1 * delta);
        }
        match node.operator.name() {
            "batch_norm" | "group_norm" => {
                let variance = self.responses[x.0]?.variance();
                Some(learned.scale * delta / variance)
            }
            "max_pool2d" | "adaptive_max_pool2d" => Some(delta * ratio),
            // Every element gets an equal share of δ of the one window that it lies in.
            "mean_pool2d" | "global_mean_pool" | "adaptive_mean_pool2d" => {
                Some(delta * ratio * ratio)
            }
            "add" | "concat" => Some(delta),
            _ if passes_on(node) => Some(delta),
            _ => None,
        }
    }
}

/// Whether the theory takes a node for one that changes nothing: it moves elements, or zeroes some
/// and makes the others larger.
fn passes_on(node: &Node) -> bool {
    let by_name = matches!(
        node.operator.name(),
        "reshape" | "relayout" | "dropout" | "channel_dropout" | "stochastic_depth"
    );
    by_name || node.operator.keeps_distribution()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_law() {
        for (z, expected) in [(0.0, 0.5), (1.0, 0.841_344_75), (-1.96, 0.024_997_9)] {
            assert!((normal_cdf(z) - expected).abs() < 2e-7, "{z}");
        }
    }

    #[test]
    fn rectified_normal_numbers() {
        let y = Expected {
            mean: 0.0,
            square: 4.0,
        };
        let (relu, passed) = y.rectified(0.0);
        // E[max(0, y)] = σ/√(2π), half of the square is left.
        assert!((relu.mean - 0.797_884_56).abs() < 1e-6 && (relu.square - 2.0).abs() < 1e-6);
        assert!((passed - 0.5).abs() < 1e-7);
        let (linear, _) = y.rectified(1.0);
        assert!((linear.square - 4.0).abs() < 1e-6 && linear.mean.abs() < 1e-6);
    }
}
