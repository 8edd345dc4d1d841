//! A network with weights on a device.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_intrusive::sync::Mutex;

use super::evaluate::Evaluator;
use super::loss::Loss;
use super::responder::Responder;
use crate::error::{Error, Result};
use crate::graph::{Graph, Initialiser, Parameter, Role, Var, aligned};
use crate::random::Seed;
use crate::run::{Device, Memory};
use crate::shape::Shape;

/// A network whose parameters live on a device.
///
/// Made by [`Network::build`](crate::graph::Network::build), trained by
/// [`Trainer`](super::Trainer). Parameters go in and out in PyTorch's shapes and order.
#[derive(Debug)]
pub struct Model {
    pub(super) device: Device,
    pub(super) graph: Graph,
    pub(super) input: Var,
    pub(super) output: Var,
    pub(super) memory: Memory,
    /// The loss of the last training, which evaluation reports.
    pub(super) loss: Loss,
    /// Plans for answering, by batch size.
    responders: ByBatch<Responder>,
    /// Plans for evaluation with the model's loss, by batch size.
    evaluators: ByBatch<Evaluator>,
}

/// Plans by batch size, made at their first use. The lock is held while one is made, so that
/// threads that ask for the same at the same time get the same.
type ByBatch<T> = Mutex<BTreeMap<usize, Arc<T>>>;

/// None yet.
fn no_plans<T>() -> ByBatch<T> {
    Mutex::new(BTreeMap::new(), true)
}

/// Elements of the buffer that holds all parameters of one kind, at least a block.
pub(super) fn arena_len(graph: &Graph, arena: &str) -> usize {
    let used = graph
        .parameters()
        .iter()
        .filter(|p| p.role.arena() == arena)
        .map(|p| p.offset + aligned(p.layout.size()))
        .max();
    used.unwrap_or(0).max(aligned(1))
}

impl Model {
    /// Draws the parameters and uploads them.
    pub(crate) async fn new(
        device: &Device,
        mut graph: Graph,
        input: Var,
        output: Var,
        seed: Seed,
    ) -> Result<Self> {
        graph.check()?;
        graph.resolve_initialisers();
        let model = Self::empty(device, graph, input, output).await?;
        for parameter in model.graph.parameters() {
            if let Initialiser::Given(init) = &parameter.initialiser {
                let values =
                    init.sample(&parameter.shape, parameter.fans, seed, &parameter.name)?;
                model.write(parameter, &values)?;
            }
        }
        Ok(model)
    }

    /// A model whose parameters are yet to be written.
    pub(super) async fn empty(
        device: &Device,
        graph: Graph,
        input: Var,
        output: Var,
    ) -> Result<Self> {
        let mut memory = Memory::default();
        for arena in ["parameters", "statistics"] {
            let len = arena_len(&graph, arena);
            memory.create(device, arena, len).await?;
        }
        Ok(Self {
            device: device.clone(),
            graph,
            input,
            output,
            memory,
            loss: Loss::default(),
            responders: no_plans(),
            evaluators: no_plans(),
        })
    }

    /// A copy with parameters of its own.
    pub(super) async fn duplicate(&self) -> Result<Self> {
        Ok(Self {
            device: self.device.clone(),
            graph: self.graph.clone(),
            input: self.input,
            output: self.output,
            memory: self.memory.duplicate(&self.device).await?,
            loss: self.loss.clone(),
            responders: no_plans(),
            evaluators: no_plans(),
        })
    }

    /// The device that holds the parameters.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The shape of one sample.
    pub fn input_shape(&self) -> &Shape {
        self.graph.shape(self.input)
    }

    /// The shape of the response to one sample.
    pub fn output_shape(&self) -> &Shape {
        self.graph.shape(self.output)
    }

    /// Parameters and running statistics, in the order of the layers.
    pub fn parameters(&self) -> &[Parameter] {
        self.graph.parameters()
    }

    /// The number of learned numbers.
    pub fn parameter_count(&self) -> usize {
        let learned = self
            .parameters()
            .iter()
            .filter(|p| p.role != Role::Statistic);
        learned.map(|p| p.shape.elements()).sum()
    }

    fn find(&self, name: &str) -> Result<&Parameter> {
        let found = self.parameters().iter().find(|p| p.name == name);
        found.ok_or_else(|| Error::UnknownName {
            kind: "parameter",
            name: name.to_owned(),
            known: names(self.parameters()),
        })
    }

    /// Reads a parameter such as `conv1.weight`, in PyTorch's order.
    ///
    /// # Errors
    /// [`Error::UnknownName`], [`Error::DeviceLost`].
    pub fn parameter(&self, name: &str) -> Result<Vec<f32>> {
        pollster::block_on(self.parameter_async(name))
    }

    /// The asynchronous form of [`Model::parameter`].
    ///
    /// # Errors
    /// As [`Model::parameter`].
    pub async fn parameter_async(&self, name: &str) -> Result<Vec<f32>> {
        let p = self.find(name)?;
        let (arena, len) = (p.role.arena(), p.layout.size());
        let device_order = self.memory.read(&self.device, arena, p.offset, len).await?;
        Ok(p.layout.unpack(&device_order))
    }

    /// Overwrites a parameter, in PyTorch's order.
    ///
    /// # Errors
    /// [`Error::UnknownName`], [`Error::Length`].
    pub fn set_parameter(&mut self, name: &str, values: &[f32]) -> Result<()> {
        let p = self.find(name)?;
        if values.len() != p.shape.elements() {
            return Err(Error::Length {
                name: name.to_owned(),
                shape: p.shape.to_string(),
                expected: p.shape.elements(),
                found: values.len(),
            });
        }
        self.write(p, values)
    }

    pub(super) fn write(&self, p: &Parameter, values: &[f32]) -> Result<()> {
        let packed = p.layout.pack(values);
        self.memory
            .write(&self.device, p.role.arena(), p.offset, &packed)
    }

    /// What evaluation reports from now on.
    pub(super) fn set_loss(&mut self, loss: &Loss) {
        if !self.loss.is(loss) {
            self.loss = loss.clone();
            self.evaluators = no_plans();
        }
    }

    /// The plan for answering batches of this size.
    pub(super) async fn responder(&self, batch: usize) -> Result<Arc<Responder>> {
        let mut plans = self.responders.lock().await;
        if let Some(known) = plans.get(&batch) {
            return Ok(known.clone());
        }
        let responder = Arc::new(Responder::new(self, batch).await?);
        plans.insert(batch, responder.clone());
        Ok(responder)
    }

    /// The plan for evaluating batches of this size.
    pub(super) async fn evaluator(&self, batch: usize) -> Result<Arc<Evaluator>> {
        let mut plans = self.evaluators.lock().await;
        if let Some(known) = plans.get(&batch) {
            return Ok(known.clone());
        }
        let evaluator = Arc::new(Evaluator::new(self, batch, &self.loss).await?);
        plans.insert(batch, evaluator.clone());
        Ok(evaluator)
    }
}

/// For errors.
pub(super) fn names(parameters: &[Parameter]) -> String {
    let names: Vec<&str> = parameters.iter().map(|p| p.name.as_str()).collect();
    names.join(", ")
}
