//! A trainer's settings in words, for reports.

use super::fit::Length;
use super::trainer::Trainer;

impl Trainer {
    /// Names of settings and their values: those that every training has, and others where they
    /// were asked for. A schedule is a function, which has no words.
    pub(super) fn settings(&self) -> Vec<(String, String)> {
        let mut settings = vec![
            ("update rule", format!("{:?}", self.rule)),
            ("loss", self.loss.name().to_owned()),
            match self.length {
                Length::Epochs(epochs) => ("epochs", epochs.to_string()),
                Length::Steps(steps) => ("steps", steps.to_string()),
            },
            ("batch size", self.batch_size.to_string()),
            ("seed", self.seed.0.to_string()),
        ];
        let mut optional = |name, value: Option<String>| {
            settings.extend(value.map(|value| (name, value)));
        };
        let several = (self.micro_batches > 1).then(|| self.micro_batches.to_string());
        optional("micro-batches per step", several);
        optional(
            "samples in order",
            (!self.shuffle).then(|| "yes".to_owned()),
        );
        let augment = self.augment.is_on().then(|| format!("{:?}", self.augment));
        optional("augmentation", augment);
        for (name, number) in [
            ("mixup", self.mixing.mixup),
            ("cutmix", self.mixing.cutmix),
            ("gradient values clipped to", self.clip_value),
            ("gradient norm clipped to", self.clip_norm),
            ("decay of averaged weights", self.average),
        ] {
            optional(name, number.map(|number| number.to_string()));
        }
        let plateau = self.plateau.as_ref().map(|plateau| format!("{plateau:?}"));
        optional("on a plateau", plateau);
        let stopping = self.early_stopping.as_ref();
        optional(
            "early stopping",
            stopping.map(|stopping| format!("{stopping:?}")),
        );
        let owned = |(name, value): (&str, String)| (name.to_owned(), value);
        settings.into_iter().map(owned).collect()
    }
}
