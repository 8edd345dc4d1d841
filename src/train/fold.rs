//! Models for evaluation alone: batch normalisation folded into the layers before it.

use std::collections::BTreeMap;

use super::model::Model;
use crate::error::Result;

impl Model {
    /// The same network for evaluation and prediction, with less to compute: every batch
    /// normalisation is folded into the convolution or linear layer before it, if nothing else
    /// reads that layer's result.
    ///
    /// In evaluation `y = γ·(x − μ)/√(σ² + ε) + β` with the running averages μ and σ². With
    /// `a = γ/√(σ² + ε)`, the filters `a·w` and the bias `a·(b − μ) + β` give the same, up to
    /// rounding. They are computed in f64 and rounded once. The layer keeps its path, and gets the
    /// parameter `bias` if it had none; the normalisation's parameters are gone. The model itself
    /// does not change. Train it, not the folded one, which no longer normalises.
    ///
    /// ```no_run
    /// # fn f(model: &wgrad::train::Model, sample: &wgrad::data::Sample) -> wgrad::Result<()> {
    /// let answering = model.folded()?;
    /// println!("class {}", answering.predict(sample)?.top1());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory),
    /// [`Error::DeviceLost`](crate::Error::DeviceLost).
    pub fn folded(&self) -> Result<Self> {
        pollster::block_on(self.folded_async())
    }

    /// The asynchronous form of [`Model::folded`].
    ///
    /// # Errors
    /// As [`Model::folded`].
    pub async fn folded_async(&self) -> Result<Self> {
        let folded = self.graph.fold_batch_norm(&[self.input, self.output])?;
        let mut values = BTreeMap::new();
        for fold in &folded.folds {
            let weight = self.parameter_async(&fold.weight).await?;
            let bias = match &fold.bias {
                Some(bias) => Some(self.parameter_async(bias).await?),
                None => None,
            };
            let [scale, shift, mean, variance] = &fold.normalisation;
            let channels = Channels {
                bias,
                scale: self.parameter_async(scale).await?,
                shift: self.parameter_async(shift).await?,
                mean: self.parameter_async(mean).await?,
                variance: self.parameter_async(variance).await?,
                epsilon: fold.epsilon,
            };
            let (weight, bias) = channels.fold(&weight);
            values.insert(fold.weight.clone(), weight);
            values.insert(fold.new_bias.clone(), bias);
        }
        let (input, output) = (folded.place(self.input)?, folded.place(self.output)?);
        let mut model = Self::empty(&self.device, folded.graph, input, output).await?;
        model.loss = self.loss.clone();
        for parameter in model.parameters() {
            let values = match values.remove(&parameter.name) {
                Some(values) => values,
                None => self.parameter_async(&parameter.name).await?,
            };
            model.write(parameter, &values)?;
        }
        Ok(model)
    }
}

/// The numbers of a layer's channels and of their normalisation.
struct Channels {
    bias: Option<Vec<f32>>,
    scale: Vec<f32>,
    shift: Vec<f32>,
    mean: Vec<f32>,
    variance: Vec<f32>,
    epsilon: f32,
}

impl Channels {
    /// Weight and bias of the layer that normalises too. PyTorch's order has the output channel
    /// outermost.
    fn fold(&self, weight: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let number = |values: &[f32], c: usize| f64::from(values.get(c).copied().unwrap_or(0.0));
        let epsilon = f64::from(self.epsilon);
        let channels = self.scale.len();
        let factor =
            |c: usize| number(&self.scale, c) / (number(&self.variance, c) + epsilon).sqrt();
        let each = (weight.len() / channels.max(1)).max(1);
        let filters = weight.chunks(each).enumerate();
        let weight = filters.flat_map(|(c, filter)| {
            let factor = factor(c);
            filter.iter().map(move |w| (f64::from(*w) * factor) as f32)
        });
        let bias = (0..channels).map(|c| {
            let bias = self.bias.as_deref().map_or(0.0, |bias| number(bias, c));
            ((bias - number(&self.mean, c)) * factor(c) + number(&self.shift, c)) as f32
        });
        (weight.collect(), bias.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Channels;

    /// Deviations 2 and 3 with ε = 1: factors 10/2 and 6/3.
    #[test]
    fn numbers_by_hand() {
        let mut channels = Channels {
            bias: None,
            scale: vec![10.0, 6.0],
            shift: vec![0.5, -1.0],
            mean: vec![2.0, -4.0],
            variance: vec![3.0, 8.0],
            epsilon: 1.0,
        };
        let weight = [1.0, -2.0, 0.0, 3.0];
        let scaled = vec![5.0, -10.0, 0.0, 6.0];
        assert_eq!(channels.fold(&weight), (scaled.clone(), vec![-9.5, 7.0]));
        channels.bias = Some(vec![2.0, 1.0]);
        assert_eq!(channels.fold(&weight), (scaled, vec![0.5, 9.0]));
    }
}
