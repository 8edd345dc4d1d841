//! Folders, networks and files that several of these tests use.

use std::path::{Path, PathBuf};
use std::process::Command;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::random::{Seed, philox4x32_10, uniform01};
use wgrad::train::Model;

/// A folder that is deleted with the value.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let folder = format!("wgrad-interchange-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Numbers in [-1, 1), the same on every platform.
pub fn numbers(len: usize, seed: u32) -> Vec<f32> {
    let draw = |i: usize| {
        let word = philox4x32_10([i as u32, 0, 0, 0], [seed, 1])[0];
        2.0 * uniform01(word) as f32 - 1.0
    };
    (0..len).map(draw).collect()
}

/// The first of the digits that come with the crate.
pub fn digits(count: usize) -> Dataset {
    let indices: Vec<usize> = (0..count).collect();
    wgrad::data::digits().subset(&indices).unwrap()
}

/// One of everything that keeps or draws something.
pub fn varied() -> Network {
    let mut net = Network::input([1, 8, 8]);
    net.conv(6, 3)
        .padding(1)
        .batch_norm()
        .prelu()
        .max_pool(2)
        .dropout(0.3)
        .conv(7, 3)
        .batch_norm()
        .relu()
        .linear(10);
    net
}

/// Gives every parameter and running statistic numbers that are no initialiser's.
pub fn scramble(model: &mut Model) {
    let parameters: Vec<(String, usize)> = model
        .parameters()
        .iter()
        .map(|p| (p.name.clone(), p.shape.elements()))
        .collect();
    for (i, (name, len)) in parameters.into_iter().enumerate() {
        let mut values = numbers(len, i as u32);
        if name.ends_with("running_var") {
            values.iter_mut().for_each(|v| *v += 1.5);
        }
        model.set_parameter(&name, &values).unwrap();
    }
}

/// A model of the varied network whose numbers follow from nothing but this function.
pub fn scrambled(device: &wgrad::Device) -> Model {
    let mut model = varied().build(device, Seed(1)).unwrap();
    scramble(&mut model);
    model
}

pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Asserts that two models hold the same bits, and that those are not all alike.
pub fn assert_same(found: &Model, expected: &Model) {
    for p in expected.parameters() {
        let [found, expected] = [found, expected].map(|m| bits(&m.parameter(&p.name).unwrap()));
        assert_eq!(found, expected, "{}", p.name);
    }
}

/// A file's tensor as f32.
pub fn tensor(file: &SafeTensors<'_>, name: &str) -> Vec<f32> {
    let view = file.tensor(name).unwrap();
    assert_eq!(view.dtype(), safetensors::Dtype::F32, "{name}");
    let (chunks, _) = view.data().as_chunks::<4>();
    chunks.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

/// Set in child processes, with the folder to work in.
pub const CHILD: &str = "WGRAD_TEST_INTERCHANGE";

/// The folder to work in, if this process is a child.
pub fn is_child() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

/// This test binary again, for one test, in another process.
pub fn child(test: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--nocapture"]).env(CHILD, folder);
    command
}

/// With this variable set to a folder, tests write there what the Python scripts check.
pub const WRITE: &str = "WGRAD_INTERCHANGE";

/// A safetensors file of f32 tensors.
pub fn write(path: &Path, tensors: &[(&str, &[usize], Vec<f32>)]) {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, _, values)| bytemuck::cast_slice(values).to_vec())
        .collect();
    let views = tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
        let view = TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap();
        (*name, view)
    });
    std::fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}
