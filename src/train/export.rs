//! A model as an ONNX file.

use std::collections::BTreeMap;
use std::path::Path;

use super::model::Model;
use crate::error::Result;
use crate::{checkpoint, onnx};

impl Model {
    /// Writes the network as it evaluates, with its weights, as an ONNX model (opset 17): input
    /// `input` of shape `[N, C, H, W]` or `[N, F]`, output `output`, the batch `N` free. See
    /// [`onnx`].
    ///
    /// The file is replaced whole or not at all.
    ///
    /// ```no_run
    /// # fn f(model: &wgrad::train::Model) -> wgrad::Result<()> {
    /// model.export_onnx("digits.onnx")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Layer`](crate::Error::Layer) for the first layer that has no ONNX form,
    /// [`Error::Invalid`](crate::Error::Invalid) for a network of 2 GiB or more,
    /// [`Error::Checkpoint`](crate::Error::Checkpoint) when the file cannot be written,
    /// [`Error::DeviceLost`](crate::Error::DeviceLost).
    #[cfg_attr(docsrs, doc(cfg(feature = "onnx")))]
    pub fn export_onnx(&self, path: impl AsRef<Path>) -> Result<()> {
        let bytes = pollster::block_on(self.to_onnx_async())?;
        Ok(checkpoint::replace(path.as_ref(), &bytes)?)
    }

    /// What [`Model::export_onnx`] writes, for those who keep it elsewhere than in a file.
    ///
    /// # Errors
    /// As [`Model::export_onnx`].
    #[cfg_attr(docsrs, doc(cfg(feature = "onnx")))]
    pub async fn to_onnx_async(&self) -> Result<Vec<u8>> {
        let description = onnx::describe(&self.graph, self.input, self.output)?;
        let mut weights = BTreeMap::new();
        for (var, _) in description.parameters.values() {
            let name = &self.graph.value(*var).name;
            weights.insert(*var, self.parameter_async(name).await?);
        }
        onnx::encode(&description, &weights)
    }
}
