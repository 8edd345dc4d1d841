//! Mixup and cutmix: what a batch's samples are mixed by, drawn on the host for many ahead.

use rand_distr::{Beta, Distribution};

use super::loss::Answer;
use super::samples::Source;
use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::graph::{Graph, ValueType, Var};
use crate::ops::scale::Scale;
use crate::ops::training::{DrawMix, MIX_WORDS, Mix, RING, SelectRows};
use crate::random::{Philox, Seed};
use crate::shape::Shape;

/// How the samples of one batch are mixed with their partners.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchMix {
    /// What a sample's own label counts, λ; the partner's counts 1 − λ.
    pub label_share: f32,
    /// What a sample's own pixels count outside the box; the partner's count the rest.
    pub sample_share: f32,
    /// First row, and the one behind the last, of the box that shows the partner.
    pub rows: [u32; 2],
    /// First column, and the one behind the last.
    pub columns: [u32; 2],
}

impl BatchMix {
    /// As the device reads it.
    pub(super) fn words(&self) -> [f32; MIX_WORDS] {
        let ([top, bottom], [left, right]) = (self.rows, self.columns);
        let [top, bottom, left, right] = [top, bottom, left, right].map(|edge| edge as f32);
        let (label, sample) = (self.label_share, self.sample_share);
        [label, sample, 0.0, 0.0, top, bottom, left, right]
    }
}

/// Which of both are on, with their α.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Mixing {
    pub(super) mixup: Option<f64>,
    pub(super) cutmix: Option<f64>,
}

impl Mixing {
    pub(super) fn is_on(self) -> bool {
        self.mixup.is_some() || self.cutmix.is_some()
    }

    /// Whether samples of this shape can be mixed so.
    pub(super) fn check(self, shape: &[usize]) -> Result<()> {
        for (name, alpha) in [("mixup", self.mixup), ("cutmix", self.cutmix)] {
            if let Some(alpha) = alpha.filter(|a| !(*a > 0.0 && a.is_finite())) {
                return Err(Error::Invalid(format!(
                    "the alpha of {name} must be greater than 0, it is {alpha}"
                )));
            }
        }
        match self.cutmix.is_some() && shape.len() != 3 {
            true => Err(Error::Invalid(format!(
                "cutmix needs images of shape [channels, height, width], the samples have shape \
                 {shape:?}"
            ))),
            false => Ok(()),
        }
    }

    /// What a batch draws, counted through all steps: which of both, λ, and the centre of the box. `None` without mixing.
    pub(super) fn draw(self, seed: Seed, batch: u64, shape: &[usize]) -> Option<BatchMix> {
        let mut stream = Philox::with_lane(seed, "wgrad.mix", batch as u32);
        let second = stream.word() % 2 == 1;
        let (alpha, cut) = match (self.mixup, self.cutmix) {
            (Some(mixup), None) => (mixup, false),
            (None, Some(cutmix)) => (cutmix, true),
            (Some(_), Some(cutmix)) if second => (cutmix, true),
            (Some(mixup), Some(_)) => (mixup, false),
            (None, None) => return None,
        };
        let share = Beta::new(alpha, alpha).ok()?.sample(&mut stream);
        match (cut, shape) {
            (true, [_, height, width]) => Some(cut_box(share, [*height, *width], &mut stream)),
            _ => Some(BatchMix {
                label_share: share as f32,
                sample_share: share as f32,
                rows: [0, 0],
                columns: [0, 0],
            }),
        }
    }
}

/// A box of the share 1 − λ of the image, cut off at its border; the labels share by what is left
/// of it (Yun et al.; torchvision's `CutMix`).
fn cut_box(share: f64, size: [usize; 2], stream: &mut Philox) -> BatchMix {
    let half = 0.5 * (1.0 - share).sqrt();
    let [rows, columns] = size.map(|length| {
        let length = length as u32;
        let centre = stream.below(length);
        let reach = (half * f64::from(length)) as u32;
        [centre.saturating_sub(reach), (centre + reach).min(length)]
    });
    let area = f64::from(rows[1] - rows[0]) * f64::from(columns[1] - columns[0]);
    BatchMix {
        label_share: (1.0 - area / (size[0] * size[1]) as f64) as f32,
        sample_share: 1.0,
        rows,
        columns,
    }
}

/// How many batches the ring of their numbers holds: those of as many steps as the other rings.
pub(super) fn ring(trainer: &Trainer) -> usize {
    RING * trainer.micro_batches
}

/// Adds the loss of mixed samples, `λ·loss(own) + (1 − λ)·loss(partner's)`, to a graph, and lets
/// the batch of `source` reach the network mixed.
pub(super) fn apply(
    graph: &mut Graph,
    trainer: &Trainer,
    (input, response): (Var, Var),
    answer: Answer,
    source: &Source,
) -> Var {
    let loss = &trainer.loss;
    let draw = DrawMix {
        ring: ring(trainer),
    };
    let [share, rest, numbers, partners] = DrawMix::results();
    let mut value = |name: &str, value_type: ValueType| graph.persistent(name, value_type, name, 0);
    let drawn = [
        value("mix.share", share),
        value("mix.rest", rest),
        value("mix.numbers", numbers),
        value("mix.partners", partners),
    ];
    let [share, rest, numbers, partners] = drawn;
    let shape: Shape = graph.shape(input).clone();
    let own = graph.input("input.own", shape);
    // What is added later runs earlier.
    graph.produce("input", Mix, &[own, numbers, partners], &[input]);
    graph.produce("mix", draw, &[], &drawn);
    source.connect(graph, own, answer);

    let others = graph.apply("answers.partner", SelectRows, &[answer.var(), partners]);
    let of_own = loss.apply(graph, response, answer).loss;
    let of_others = loss.apply(graph, response, answer.with(others)).loss;
    let of_own = graph.apply("loss.own", Scale, &[of_own, share]);
    let of_others = graph.apply("loss.partner", Scale, &[of_others, rest]);
    graph.add(of_own, of_others)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Mixing = Mixing {
        mixup: Some(0.2),
        cutmix: Some(1.0),
    };

    #[test]
    fn boxes_lie_within_the_image_and_labels_share_by_their_area() {
        let (mut cut, mut mixed) = (0, 0);
        for batch in 0..1000 {
            let Some(mix) = BOTH.draw(Seed(3), batch, &[3, 8, 13]) else {
                unreachable!("mixing is on")
            };
            assert_eq!(Some(mix), BOTH.draw(Seed(3), batch, &[3, 8, 13]));
            let [rows, columns] = [mix.rows, mix.columns];
            assert!(rows[0] <= rows[1] && rows[1] <= 8);
            assert!(columns[0] <= columns[1] && columns[1] <= 13);
            let area = (rows[1] - rows[0]) * (columns[1] - columns[0]);
            if mix.sample_share == 1.0 {
                cut += 1;
                let left = 1.0 - f64::from(area) / 104.0;
                assert!((f64::from(mix.label_share) - left).abs() <= 1e-7);
            } else {
                mixed += 1;
                assert_eq!((area, mix.sample_share), (0, mix.label_share));
                assert!((0.0..=1.0).contains(&mix.label_share));
            }
        }
        // Five standard errors of a fair coin.
        assert!((i32::abs(cut - mixed)) <= 158, "{cut} and {mixed}");
    }

    /// Beta(α, α) has mean 1/2 and variance 1/(4(2α + 1)).
    #[test]
    fn shares_follow_the_beta_law() {
        for alpha in [0.2, 1.0, 4.0] {
            let mixing = Mixing {
                mixup: Some(alpha),
                cutmix: None,
            };
            let draws = (0..20_000).filter_map(|batch| mixing.draw(Seed(1), batch, &[4]));
            let shares: Vec<f64> = draws.map(|mix| f64::from(mix.label_share)).collect();
            let n = shares.len() as f64;
            let mean = shares.iter().sum::<f64>() / n;
            let variance = shares.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / n;
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() <= 5.0 * (expected / n).sqrt(), "{mean}");
            // The fourth central moment is at most a quarter of the variance.
            assert!((variance - expected).abs() <= 5.0 * (0.25 * expected / n).sqrt());
        }
    }
}
