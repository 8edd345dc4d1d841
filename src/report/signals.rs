//! How signals pass through a network: the table of a signal report.

use std::fmt;

/// Mean and variance of all numbers of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    /// Their mean.
    pub mean: f64,
    /// Their mean squared distance from it.
    pub variance: f64,
}

impl Moments {
    /// The moments of these numbers, in two passes; zeros for none.
    pub fn of(numbers: &[f32]) -> Self {
        let count = numbers.len().max(1) as f64;
        let mean = numbers.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
        let squares = numbers.iter().map(|&v| (f64::from(v) - mean).powi(2));
        Self {
            mean,
            variance: squares.sum::<f64>() / count,
        }
    }
}

/// What passes through one layer, in a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerSignal {
    /// The layer's path.
    pub layer: String,
    /// Its operator.
    pub operator: &'static str,
    /// Whether it multiplies by weights: the layers that an initialiser is about.
    pub weighted: bool,
    /// Its response.
    pub response: Moments,
    /// The variance of the response by the theory, where there is one for the layers so far.
    pub response_theory: Option<f64>,
    /// The gradient of the loss with respect to the response.
    pub gradient: Moments,
    /// The variance of that gradient by the theory.
    pub gradient_theory: Option<f64>,
}

/// The signal report of a network: see [`Trainer::signals`](crate::train::Trainer::signals).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signals {
    layers: Vec<LayerSignal>,
}

/// A change of variance from the first weighted layer to the last, or back, that is worth a
/// warning: two hundred layers that each lose two percent do not reach it.
const WORRYING: f64 = 1e3;

impl Signals {
    pub(crate) fn new(layers: Vec<LayerSignal>) -> Self {
        Self { layers }
    }

    /// The layers in order.
    pub fn layers(&self) -> &[LayerSignal] {
        &self.layers
    }

    /// A sentence on the responses, from the first weighted layer to the last.
    pub fn verdict_on_responses(&self) -> String {
        let line = self
            .weighted()
            .map(|l| (l.layer.as_str(), l.response.variance));
        verdict("responses", &line.collect::<Vec<_>>())
    }

    /// A sentence on the gradients, from the last weighted layer to the first.
    pub fn verdict_on_gradients(&self) -> String {
        let line = self
            .weighted()
            .map(|l| (l.layer.as_str(), l.gradient.variance));
        verdict("gradients", &line.rev().collect::<Vec<_>>())
    }

    fn weighted(&self) -> impl DoubleEndedIterator<Item = &LayerSignal> {
        self.layers.iter().filter(|l| l.weighted)
    }
}

/// What becomes of the variances `line` of a signal on its way.
fn verdict(signal: &str, line: &[(&str, f64)]) -> String {
    let (Some(first), Some(last)) = (line.first(), line.last()) else {
        return format!("{signal}: there is no layer with weights");
    };
    if let Some((layer, _)) = line.iter().find(|(_, v)| !v.is_finite() || *v == 0.0) {
        return format!("{signal} are zero, or not finite, at {layer}");
    }
    let change = last.1 / first.1;
    let (word, sign) = match change {
        c if c > WORRYING => ("EXPLODE", 1.0),
        c if c < 1.0 / WORRYING => ("VANISH", -1.0),
        _ => {
            return format!(
                "{signal} keep their size: variance {:.2e} at {}, {:.2e} at {}",
                first.1, first.0, last.1, last.0
            );
        }
    };
    let steps = line
        .windows(2)
        .map(|pair| (pair[1].0, pair[1].1 / pair[0].1));
    let steepest = steps.max_by(|a, b| (sign * a.1.ln()).total_cmp(&(sign * b.1.ln())));
    let (layer, factor) = steepest.unwrap_or((last.0, change));
    format!(
        "{signal} {word}: variance x {change:.1e} from {} to {}, most of all at {layer} (x {factor:.2})",
        first.0, last.0
    )
}

impl fmt::Display for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:38} {:^29} {:^29}", "", "response", "gradient")?;
        writeln!(
            f,
            "{:20} {:17} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "layer", "operator", "mean", "variance", "theory", "mean", "variance", "theory"
        )?;
        for l in &self.layers {
            write!(f, "{:20} {:17}", l.layer, l.operator)?;
            for (measured, theory) in [
                (l.response, l.response_theory),
                (l.gradient, l.gradient_theory),
            ] {
                let theory = theory.map_or("-".to_owned(), |v| format!("{v:.1e}"));
                let Moments { mean, variance } = measured;
                write!(f, " {mean:>9.1e} {variance:>9.1e} {theory:>9}")?;
            }
            writeln!(f)?;
        }
        writeln!(f, "{}", self.verdict_on_responses())?;
        write!(f, "{}", self.verdict_on_gradients())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(factor: f64) -> Signals {
        let layer = |i: usize| LayerSignal {
            layer: format!("conv{}", i + 1),
            operator: "conv2d",
            weighted: true,
            response: Moments {
                mean: 0.0,
                variance: factor.powi(i as i32),
            },
            response_theory: Some(1.0),
            gradient: Moments {
                mean: 0.0,
                variance: 1.0,
            },
            gradient_theory: None,
        };
        Signals::new((0..5).map(layer).collect())
    }

    #[test]
    fn moments_by_hand() {
        let Moments { mean, variance } = Moments::of(&[1.0, 2.0, 3.0, 6.0]);
        assert_eq!((mean, variance), (3.0, 3.5));
        assert_eq!(Moments::of(&[]), Moments::default());
    }

    #[test]
    fn verdicts_name_the_way_and_the_layer() {
        let kept = chain(0.5).verdict_on_responses();
        assert!(
            kept.starts_with("responses keep their size: variance 1.00e0 at conv1"),
            "{kept}"
        );
        let lost = chain(0.1).verdict_on_responses();
        assert!(
            lost.starts_with("responses VANISH: variance x 1.0e-4 from conv1 to conv5"),
            "{lost}"
        );
        let grown = chain(20.0).verdict_on_responses();
        assert!(
            grown.contains("EXPLODE") && grown.contains("(x 20.00)"),
            "{grown}"
        );
        assert!(
            chain(1.0)
                .verdict_on_gradients()
                .contains("1.00e0 at conv5")
        );
        let none = Signals::default().verdict_on_gradients();
        assert_eq!(none, "gradients: there is no layer with weights");
    }

    #[test]
    fn the_table_has_a_line_for_each_layer() {
        let text = chain(1.0).to_string();
        assert_eq!(text.lines().count(), 2 + 5 + 2);
        assert!(
            text.lines()
                .nth(2)
                .is_some_and(|l| l.starts_with("conv1 ") && l.ends_with('-'))
        );
    }
}
