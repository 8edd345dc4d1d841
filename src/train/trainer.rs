//! How to train.

use std::fmt;
use std::sync::Arc;

use super::fit::{EarlyStopping, Every, Length, Stop};
use super::loss::Loss;
use super::mixing::{BatchMix, Mixing};
use super::model::Model;
use super::rule::UpdateRule;
use super::schedule::{self, Plateau};
use super::training::Training;
use crate::checkpoint::Checkpoints;
use crate::data::{Augment, Dataset};
use crate::error::{Error, Result};
use crate::random::Seed;
use crate::tune::Tuner;

/// How to train: update rule, epochs, batch size, loss, schedule, seed.
///
/// ```no_run
/// use wgrad::{Device, graph::Network, random::Seed, train::{Sgd, Trainer}};
///
/// let (train, test) = wgrad::data::digits().split(0.8, Seed(7));
/// let mut net = Network::input([1, 8, 8]);
/// net.conv(16, 3).padding(1).prelu().max_pool(2).linear(10);
/// let mut model = net.build(&Device::open()?, Seed(42))?;
/// let run = Trainer::new(Sgd::new(0.05).momentum(0.9))
///     .epochs(5)
///     .batch_size(64)
///     .fit(&mut model, &train, &test)?;
/// println!("{run}");
/// # Ok::<(), wgrad::Error>(())
/// ```
#[derive(Clone)]
pub struct Trainer {
    pub(super) rule: Arc<dyn UpdateRule>,
    pub(super) loss: Loss,
    pub(super) mixing: Mixing,
    pub(super) augment: Augment,
    pub(super) batch_size: usize,
    pub(super) seed: Seed,
    pub(super) shuffle: bool,
    pub(super) schedule: Arc<dyn Fn(u64) -> f64 + Send + Sync>,
    pub(super) plateau: Option<Plateau>,
    pub(super) clip_value: Option<f64>,
    pub(super) clip_norm: Option<f64>,
    pub(super) micro_batches: usize,
    pub(super) average: Option<f64>,
    pub(super) tuner: Option<Tuner>,
    pub(super) resident_limit: u64,
    // The loop, see [`super::fit`].
    pub(super) length: Length,
    pub(super) validate: Every,
    pub(super) early_stopping: Option<EarlyStopping>,
    pub(super) checkpoints: Option<(Checkpoints, Every)>,
    pub(super) stop: Option<Stop>,
    pub(super) progress: bool,
}

impl fmt::Debug for Trainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trainer")
            .field("rule", &self.rule)
            .field("loss", &self.loss)
            .field("batch_size", &self.batch_size)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl Trainer {
    /// Trains by this rule: 10 epochs of softmax cross-entropy in shuffled batches of 64.
    pub fn new(rule: impl UpdateRule) -> Self {
        Self {
            rule: Arc::new(rule),
            loss: Loss::default(),
            mixing: Mixing::default(),
            augment: Augment::new(),
            batch_size: 64,
            seed: Seed(0),
            shuffle: true,
            schedule: Arc::new(schedule::constant(1.0)),
            plateau: None,
            clip_value: None,
            clip_norm: None,
            micro_batches: 1,
            average: None,
            tuner: None,
            resident_limit: u64::MAX,
            length: Length::Epochs(10),
            validate: Every::Epochs(1),
            early_stopping: None,
            checkpoints: None,
            stop: None,
            progress: true,
        }
    }

    /// Samples that are computed together, those of a step unless [`Trainer::accumulate`] puts
    /// several batches into one; at most as many as there are.
    #[must_use]
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size;
        self
    }

    /// Makes a step of this many batches, called micro-batches, whose gradients are averaged
    /// before the one update: a batch as many times as large, in the memory of one. The loss of
    /// the step is their mean. Batch normalisation sees each micro-batch by itself.
    ///
    /// Every micro-batch counts the same: where class weights or an ignored label give samples
    /// unequal weight, the mean over micro-batches is not the weighted mean over all their samples,
    /// and a loss that is a sum becomes the mean of the micro-batches' sums.
    ///
    /// A micro-batch that is not finite discards the whole step.
    ///
    /// ```
    /// use wgrad::train::{Sgd, Trainer};
    /// // An update for every 256 samples.
    /// let trainer = Trainer::new(Sgd::new(0.1)).batch_size(64).accumulate(4);
    /// ```
    #[must_use]
    pub fn accumulate(mut self, micro_batches: usize) -> Self {
        self.micro_batches = micro_batches;
        self
    }

    /// Holds every element of the gradients within ±`limit` before the update, as PyTorch's
    /// `clip_grad_value_`. Weight decay is not part of the gradients.
    #[must_use]
    pub fn clip_value(mut self, limit: f64) -> Self {
        self.clip_value = Some(limit);
        self
    }

    /// Multiplies the gradients by `limit/(‖g‖ + 1e-6)` before the update if that is less than 1,
    /// as PyTorch's `clip_grad_norm_`. ‖g‖ is the Euclidean norm over all trained parameters
    /// together, after [`Trainer::clip_value`] where both are asked for.
    ///
    /// [`Training::gradient_norms`] has the norms, before this clipping. A limit of
    /// [`f64::INFINITY`] measures them and clips nothing.
    #[must_use]
    pub fn clip_norm(mut self, limit: f64) -> Self {
        self.clip_norm = Some(limit);
        self
    }

    /// Keeps an exponential moving average of the weights (Polyak and Juditsky 1992), which often
    /// answers better than the weights themselves: after each step `a ← a + r·(w − a)` with
    /// `r = (1 − decay)/(1 − decayᵗ)` at the t-th step. So the weights after step s count
    /// `decay^(t−s)`, and those before the first step not at all, as in Adam's corrected mean.
    /// Running statistics are averaged in the same way.
    ///
    /// [`Trainer::fit`] then evaluates the average after each epoch, and leaves it in the model at
    /// the end; [`Training::averaged`] has it while training. 0.999 suits some thousand steps.
    #[must_use]
    pub fn average(mut self, decay: f64) -> Self {
        self.average = Some(decay);
        self
    }

    /// Measures which kernels are the fastest for the step's convolutions and products when a
    /// training starts, see [`tune`](crate::tune); [`Training::tuning`] reports. Without it adapter
    /// and shapes decide. Evaluation and prediction keep the kernels of the model's device.
    #[must_use]
    pub fn tune(mut self, tuner: Tuner) -> Self {
        self.tuner = Some(tuner);
        self
    }

    /// What is made small, softmax cross-entropy unless told otherwise: a loss of
    /// [`ops`](crate::ops) or one's own ([`LossFunction`](super::LossFunction)).
    ///
    /// ```
    /// use wgrad::ops::SoftmaxCrossEntropy;
    /// use wgrad::train::{Sgd, Trainer};
    ///
    /// let loss = SoftmaxCrossEntropy::new().label_smoothing(0.1);
    /// let trainer = Trainer::new(Sgd::new(0.1)).loss(loss);
    /// ```
    #[must_use]
    pub fn loss(mut self, loss: impl Into<Loss>) -> Self {
        self.loss = loss.into();
        self
    }

    /// Mixup (Zhang et al. 2018): every sample of a batch is mixed with a partner from it,
    /// `λ·own + (1 − λ)·partner`, and the loss with it, `λ·loss(own label) + (1 − λ)·loss(partner's
    /// label)`. The partners are a permutation of the batch, drawn anew each time, and so is λ, from
    /// Beta(alpha, alpha); usual are alphas of 0.1 to 0.4.
    /// The losses of a training are then those of mixed samples; evaluation mixes nothing.
    ///
    /// With [`Trainer::cutmix`] too, each batch has one of both, with equal probability.
    ///
    /// ```
    /// use wgrad::train::{Sgd, Trainer};
    /// let trainer = Trainer::new(Sgd::new(0.1)).mixup(0.2).cutmix(1.0);
    /// ```
    #[must_use]
    pub fn mixup(mut self, alpha: f64) -> Self {
        self.mixing.mixup = Some(alpha);
        self
    }

    /// Cutmix (Yun et al. 2019): a box of every image shows its partner from the batch. The box
    /// has the share 1 − λ of the area, λ being drawn from Beta(alpha, alpha) for every batch, and
    /// its centre is anywhere; what lies beyond the border is cut off. The loss is mixed as in
    /// [`Trainer::mixup`], by the areas that are seen. The usual alpha is 1.
    #[must_use]
    pub fn cutmix(mut self, alpha: f64) -> Self {
        self.mixing.cutmix = Some(alpha);
        self
    }

    /// How [`Trainer::mixup`] and [`Trainer::cutmix`] mix samples of this shape in a batch, counted
    /// from 0 through all steps, of which [`Trainer::accumulate`] says how many each has; `None`
    /// without either. It follows from the seed and that number alone.
    pub fn mix_of_batch(&self, batch: u64, shape: &[usize]) -> Option<BatchMix> {
        self.mixing.draw(self.seed, batch, shape)
    }

    /// Changes the training images at random while the device fetches them; evaluation sees them
    /// as they are.
    #[must_use]
    pub fn augment(mut self, augment: Augment) -> Self {
        self.augment = augment;
        self
    }

    /// The seed of shuffling, dropout, mixing and augmentation.
    #[must_use]
    pub fn seed(mut self, seed: impl Into<Seed>) -> Self {
        self.seed = seed.into();
        self
    }

    /// Whether every epoch has its own random order; otherwise the samples come as they are.
    #[must_use]
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// How many bytes of the training samples and their answers the device may hold. A data set
    /// that takes more, or more than the adapter binds at once, is streamed: a thread gathers the
    /// samples of the coming steps while the device computes. The training is the same in every bit,
    /// and its checkpoints go on either way. At least a step's samples are held.
    ///
    /// ```
    /// use wgrad::train::{Sgd, Trainer};
    /// // Leave the device's memory to the network.
    /// let trainer = Trainer::new(Sgd::new(0.1)).resident_limit(64 << 20);
    /// ```
    #[must_use]
    pub fn resident_limit(mut self, bytes: u64) -> Self {
        self.resident_limit = bytes;
        self
    }

    /// A factor on the learning rate by step, counted from 0: a closure, or one of [`schedule`].
    ///
    /// ```
    /// use wgrad::train::{Sgd, Trainer, schedule};
    /// // Half as large after every thousand steps.
    /// let trainer = Trainer::new(Sgd::new(0.1)).schedule(schedule::step(1000, 0.5));
    /// // The same by hand.
    /// let trainer = Trainer::new(Sgd::new(0.1))
    ///     .schedule(|step| 0.5_f64.powi((step / 1000) as i32));
    /// ```
    #[must_use]
    pub fn schedule(mut self, factor: impl Fn(u64) -> f64 + Send + Sync + 'static) -> Self {
        self.schedule = Arc::new(factor);
        self
    }

    /// Reduces the learning rate, beside any schedule, when the validation loss no longer falls:
    /// the loss on [`Trainer::fit`]'s test data, or what [`Training::observe`] is told.
    #[must_use]
    pub fn reduce_on_plateau(mut self, plateau: Plateau) -> Self {
        self.plateau = Some(plateau);
        self
    }

    /// What can be wrong with the settings alone.
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |reason: String| Err(Error::Invalid(reason));
        if self.batch_size == 0 || self.micro_batches == 0 {
            return refuse("a batch of size zero has no samples".to_owned());
        }
        for (what, limit) in [("value", self.clip_value), ("norm", self.clip_norm)] {
            if let Some(limit) = limit.filter(|limit| limit.is_nan() || *limit <= 0.0) {
                return refuse(format!("gradients cannot be clipped to the {what} {limit}"));
            }
        }
        match self.average {
            Some(decay) if !(0.0..1.0).contains(&decay) => refuse(format!(
                "the decay of the average must lie in [0, 1), it is {decay}"
            )),
            _ => Ok(()),
        }
    }

    /// Begins a training whose steps are taken by hand.
    ///
    /// # Errors
    /// As [`Trainer::fit`].
    pub fn start<'a>(&'a self, model: &'a mut Model, train: &'a Dataset) -> Result<Training<'a>> {
        pollster::block_on(Training::new(self, model, train))
    }
}
