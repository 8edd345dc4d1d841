//! Runs a few nodes on the device between poison and guard words, and compares the results.

use std::panic::Location;

use wgrad::graph::{Graph, Var};
use wgrad::plan::{AdapterProfile, Mode};
use wgrad::{Device, Session, SessionOptions};

use super::compare::{Tolerance, compare};
use super::errors;
use crate::reference::Tensor;

/// A graph under test with the values of its inputs.
pub struct Probe {
    /// Build the operator under test here.
    pub graph: Graph,
    batch: usize,
    values: Vec<(Var, Vec<f32>)>,
    indices: Vec<(Var, Vec<u32>)>,
    adapter: Option<AdapterProfile>,
}

impl Probe {
    /// An empty graph for a batch of this size.
    pub fn new(batch: usize) -> Self {
        Self {
            graph: Graph::new(),
            batch,
            values: Vec::new(),
            indices: Vec::new(),
            adapter: None,
        }
    }

    /// Plans for this adapter, whatever the device is.
    pub fn plan_for(&mut self, adapter: AdapterProfile) {
        self.adapter = Some(adapter);
    }

    /// An input with these values; the first extent is the batch.
    pub fn input(&mut self, tensor: &Tensor) -> Var {
        assert_eq!(tensor.shape[0], self.batch, "the first extent is the batch");
        let name = format!("input{}", self.values.len());
        let var = self.graph.input(&name, &tensor.shape[1..]);
        self.set(var, tensor);
        var
    }

    /// Labels with these values.
    pub fn labels(&mut self, labels: &[u32]) -> Var {
        let var = self.graph.labels("labels");
        self.indices.push((var, labels.to_vec()));
        var
    }

    /// The parameter whose path ends in `name`, with these values.
    pub fn parameter(&mut self, name: &str, tensor: &Tensor) -> Var {
        let found = self.graph.find_parameter(name);
        let var =
            found.unwrap_or_else(|| panic!("no parameter `{name}`: {:?}", self.graph.check()));
        self.set(var, tensor);
        var
    }

    fn set(&mut self, var: Var, tensor: &Tensor) {
        self.values.push((var, tensor.to_f32()));
    }

    /// Adds the gradients of `sum(y · dy)` with respect to `wrt`.
    pub fn gradients(&mut self, y: Var, dy: &Tensor, wrt: &[Var]) -> Vec<Var> {
        let shape = self.graph.shape(y).to_vec();
        let layout_is_standard = self.graph.type_of(y).is_standard();
        assert!(layout_is_standard, "give y its standard layout first");
        let delta = self.graph.input("dy", shape);
        self.set(delta, dy);
        wgrad::autodiff::gradients_from(&mut self.graph, &[(y, delta)], wrt).unwrap()
    }

    /// Computes the targets, in PyTorch's order. Checks the guard words, and that padding holds
    /// zero.
    pub fn run(&self, device: &Device, mode: Mode, targets: &[Var]) -> Vec<Vec<f32>> {
        let options = match mode {
            Mode::Training => SessionOptions::training(self.batch),
            Mode::Evaluation => SessionOptions::evaluation(self.batch),
        };
        let options = match &self.adapter {
            Some(adapter) => options.planned_for(adapter.clone()),
            None => options,
        };
        let session = Session::new(device, &self.graph, targets, options.guarded())
            .unwrap_or_else(|error| panic!("{error}"));
        let read = |var: &Var| session.keeps(*var);
        for (var, values) in self.values.iter().filter(|(var, _)| read(var)) {
            session.set(*var, values).unwrap();
        }
        for (var, values) in self.indices.iter().filter(|(var, _)| read(var)) {
            session.set_indices(*var, values).unwrap();
        }
        session.run().unwrap();
        errors::keep_device(device);
        session.check_guards().unwrap();
        for target in targets {
            self.check_padding(&session, *target);
        }
        targets.iter().map(|t| session.get(*t).unwrap()).collect()
    }

    fn check_padding(&self, session: &Session, target: Var) {
        let indices = self.graph.type_of(target).layout.logical_indices();
        let stored = session.get_device_order(target).unwrap();
        for (element, index) in stored.iter().zip(indices.iter().cycle()) {
            if index.is_none() {
                let name = &self.graph.value(target).name;
                assert_eq!(
                    element.to_bits() << 1,
                    0,
                    "`{name}` has {element} in its padding"
                );
            }
        }
    }
}

/// Asserts that a result agrees with the reference, naming both.
#[track_caller]
pub fn assert_close(name: &str, result: &[f32], reference: &Tensor, tolerance: Tolerance) {
    match compare(result, &reference.data, tolerance) {
        Ok(measured) => errors::keep(Location::caller().file(), name, measured),
        Err(mismatch) => panic!("{name}: {mismatch}"),
    }
}
