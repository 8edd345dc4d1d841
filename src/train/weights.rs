//! A model's parameters and running statistics as a file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use half::{bf16, f16};
use safetensors::tensor::{Dtype, TensorView};

use super::model::{Model, arena_len};
use crate::checkpoint::{
    self, CheckpointError, Container, Facts, LoadOptions, LoadReport, Misfit, Tensor,
};
use crate::error::Result;
use crate::graph::{Parameter, Role};
use crate::shape::Shape;

impl Model {
    /// Saves parameters and running statistics as safetensors, by path, in PyTorch's shapes and
    /// order.
    ///
    /// The file is replaced whole or not at all, see [`checkpoint`].
    ///
    /// ```no_run
    /// # fn f(model: &mut wgrad::train::Model) -> wgrad::Result<()> {
    /// model.save("digits.safetensors")?;
    /// model.load("digits.safetensors")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`CheckpointError::DiskFull`], [`CheckpointError::Write`];
    /// [`Error::DeviceLost`](crate::Error::DeviceLost).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let bytes = pollster::block_on(self.to_safetensors_async())?;
        Ok(checkpoint::replace(path.as_ref(), &bytes)?)
    }

    /// What [`Model::save`] writes, for those who keep it elsewhere than in a file.
    ///
    /// # Errors
    /// [`Error::DeviceLost`](crate::Error::DeviceLost).
    pub async fn to_safetensors_async(&self) -> Result<Vec<u8>> {
        checkpoint::encode(&self.tensors().await?, Facts::new())
    }

    /// Loads parameters and running statistics from a safetensors file: one of
    /// [`Model::save`], of a training, or of PyTorch. Every parameter must be there, and nothing
    /// else; numbers of type f16, bf16 and f64 become f32.
    ///
    /// # Errors
    /// [`CheckpointError::Misfit`] when names or shapes differ; then nothing was loaded.
    /// [`CheckpointError::Missing`], [`CheckpointError::Read`], [`CheckpointError::Truncated`],
    /// [`CheckpointError::Corrupted`], [`CheckpointError::Foreign`].
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<LoadReport> {
        self.load_with(path, &LoadOptions::new())
    }

    /// As [`Model::load`], with names of another program, or of what fits only.
    ///
    /// # Errors
    /// As [`Model::load`]; [`CheckpointError::Ambiguous`] when two tensors get the same name.
    pub fn load_with(
        &mut self,
        path: impl AsRef<Path>,
        options: &LoadOptions,
    ) -> Result<LoadReport> {
        let path = path.as_ref();
        let bytes = checkpoint::read(path)?;
        let container = Container::decode(&bytes, path.display().to_string())?;
        self.load_container(&container, options)
    }

    /// As [`Model::load_with`], from bytes.
    ///
    /// # Errors
    /// As [`Model::load_with`].
    pub fn load_safetensors(&mut self, bytes: &[u8], options: &LoadOptions) -> Result<LoadReport> {
        let container = Container::decode(bytes, "the buffer".to_owned())?;
        self.load_container(&container, options)
    }

    /// Takes over the parameters and running statistics of another model, as [`Model::load_with`]
    /// those of a file.
    ///
    /// ```no_run
    /// use wgrad::{checkpoint::LoadOptions, graph::Network, random::Seed, train::Model};
    ///
    /// # fn f(net: &Network, trained: &Model) -> wgrad::Result<()> {
    /// // The same layers, the last one for other classes.
    /// let mut model = net.with_classes(3)?.build(trained.device(), Seed(1))?;
    /// model.load_from(trained, &LoadOptions::new().except("linear2"))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Model::load_with`] for names and shapes; [`Error::DeviceLost`](crate::Error::DeviceLost).
    pub fn load_from(&mut self, other: &Self, options: &LoadOptions) -> Result<LoadReport> {
        pollster::block_on(self.load_from_async(other, options))
    }

    /// The asynchronous form of [`Model::load_from`].
    ///
    /// # Errors
    /// As [`Model::load_from`].
    pub async fn load_from_async(
        &mut self,
        other: &Self,
        options: &LoadOptions,
    ) -> Result<LoadReport> {
        let bytes = other.to_safetensors_async().await?;
        let container = Container::decode(&bytes, "the other model".to_owned())?;
        self.load_container(&container, options)
    }

    fn load_container(
        &mut self,
        container: &Container<'_>,
        options: &LoadOptions,
    ) -> Result<LoadReport> {
        let matched = match_names(self.parameters(), container, options)?;
        self.load_matched(&matched)?;
        Ok(matched.report)
    }

    pub(super) fn load_matched(&mut self, matched: &Matched) -> Result<()> {
        for (name, values) in &matched.values {
            self.set_parameter(name, values)?;
        }
        Ok(())
    }

    /// All parameters and running statistics, in the order of the layers.
    pub(super) async fn tensors(&self) -> Result<Vec<Tensor>> {
        let mut arenas = BTreeMap::new();
        for arena in [Role::Weight.arena(), Role::Statistic.arena()] {
            let len = arena_len(&self.graph, arena);
            let numbers: Vec<f32> = self.memory.read(&self.device, arena, 0, len).await?;
            arenas.insert(arena, numbers);
        }
        let tensor = |p: &Parameter| {
            let stored = arenas.get(p.role.arena()).map_or(&[][..], Vec::as_slice);
            let end = p.offset + p.layout.size();
            let values = p.layout.unpack(&stored[p.offset..end]);
            Tensor::f32(&p.name, &p.shape, &values)
        };
        Ok(self.parameters().iter().map(tensor).collect())
    }
}

/// A file's tensors laid beside a network's parameters.
pub(super) struct Matched {
    pub(super) report: LoadReport,
    /// What is to be loaded.
    pub(super) values: Vec<(String, Vec<f32>)>,
}

/// Finds for every tensor its parameter; an error if that must be complete and is not. Changes
/// nothing.
pub(super) fn match_names(
    parameters: &[Parameter],
    container: &Container<'_>,
    options: &LoadOptions,
) -> Result<Matched, CheckpointError> {
    let known: BTreeMap<&str, &Parameter> =
        parameters.iter().map(|p| (p.name.as_str(), p)).collect();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut report = LoadReport::default();
    let mut values = Vec::new();
    let excepted = parameters.iter().filter(|p| options.leaves_out(&p.name));
    let mut left_out: BTreeSet<String> = excepted.map(|p| p.name.clone()).collect();
    for (tensor, view) in container.tensors() {
        let Some(path) = options.path(&tensor) else {
            continue;
        };
        if let Some(first) = seen.insert(path.clone(), tensor.clone()) {
            return Err(CheckpointError::Ambiguous {
                file: container.file.clone(),
                name: path,
                first,
                second: tensor,
            });
        }
        if options.leaves_out(&path) {
            left_out.insert(path);
            continue;
        }
        let Some(parameter) = known.get(path.as_str()) else {
            report.unexpected.push(path);
            continue;
        };
        let fits = parameter.shape[..] == *view.shape();
        match to_f32(&view).filter(|_| fits) {
            Some(numbers) => {
                report.loaded.push(path.clone());
                values.push((path, numbers));
            }
            None => report.misfits.push(Misfit {
                name: path,
                expected: parameter.shape.clone(),
                found: Shape::from(view.shape()),
                element: format!("{:?}", view.dtype()),
            }),
        }
    }
    let there: BTreeSet<&str> = seen.keys().map(String::as_str).collect();
    let missing = parameters
        .iter()
        .filter(|p| !there.contains(p.name.as_str()) && !left_out.contains(&p.name));
    report.missing = missing.map(|p| p.name.clone()).collect();
    if let Some(pattern) = options.idle_pattern(&left_out) {
        return Err(CheckpointError::NothingLeftOut {
            file: container.file.clone(),
            pattern: pattern.to_owned(),
        });
    }
    report.left_out = left_out.into_iter().collect();
    match options.strict && !report.is_complete() {
        true => Err(CheckpointError::Misfit {
            file: container.file.clone(),
            report: Box::new(report),
        }),
        false => Ok(Matched { report, values }),
    }
}

/// A tensor's numbers, rounded to f32 where they are wider; none if they are integers or of a
/// type that is not known here.
fn to_f32(view: &TensorView<'_>) -> Option<Vec<f32>> {
    let bytes = view.data();
    Some(match view.dtype() {
        Dtype::F32 => numbers(bytes, f32::from_le_bytes),
        Dtype::F64 => numbers(bytes, |b| f64::from_le_bytes(b) as f32),
        Dtype::F16 => numbers(bytes, |b| f16::from_le_bytes(b).to_f32()),
        Dtype::BF16 => numbers(bytes, |b| bf16::from_le_bytes(b).to_f32()),
        _ => return None,
    })
}

fn numbers<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|chunk| number(*chunk)).collect()
}
