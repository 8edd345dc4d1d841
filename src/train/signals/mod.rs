//! The signal report: what passes through each layer, measured on a batch, beside what He's theory
//! predicts.

mod theory;

use std::collections::BTreeMap;

use self::theory::{Expected, Learned, Theory};
use super::model::Model;
use super::samples::{Source, Window};
use super::state;
use super::trainer::Trainer;
use crate::autodiff;
use crate::data::Dataset;
use crate::error::Result;
use crate::graph::{Element, Graph, Node, Parameter, Role, Var};
use crate::ops::batch_norm::freeze_statistics;
use crate::plan::{Mode, Plan, PlanOptions};
use crate::record::{Recording, range};
use crate::report::{LayerSignal, Moments, Signals};
use crate::run::{Memory, Program, ProgramOptions};

impl Trainer {
    /// Passes the first batch of `data` through the network and the gradient of the loss back, and
    /// reports mean and variance of every layer's response and of the gradient with respect to
    /// it, beside the variances that He's theory predicts from the weights. Nothing is changed.
    ///
    /// Before the first step this shows which layer makes signals vanish or explode; where the
    /// theory is far from the measurement, something other than the initialiser is at work.
    ///
    /// ```no_run
    /// # use wgrad::{data::Dataset, train::{Model, Sgd, Trainer}};
    /// # fn f(model: &Model, data: &Dataset) -> wgrad::Result<()> {
    /// let signals = Trainer::new(Sgd::new(0.1)).batch_size(32).signals(model, data)?;
    /// println!("{signals}");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Trainer::start`]. All values of the batch are kept, which takes more memory than a
    /// training step.
    pub fn signals(&self, model: &Model, data: &Dataset) -> Result<Signals> {
        pollster::block_on(self.signals_async(model, data))
    }

    /// The asynchronous form of [`Trainer::signals`].
    ///
    /// # Errors
    /// As [`Trainer::signals`].
    pub async fn signals_async(&self, model: &Model, data: &Dataset) -> Result<Signals> {
        model.check_data(data, &self.loss)?;
        self.check()?;
        let batch = self.batch_size.min(data.len());
        let mut memory = Memory::default();
        let source = Source::create(&model.device, &mut memory, data, batch, batch).await?;
        let first: Vec<u32> = (0..batch as u32).collect();
        source.write(&model.device, &memory, &Window::gather(data, &first)?)?;
        state::upload(model, &mut memory, self).await?;
        memory.write(&model.device, "dataset.order", 0, &first)?;

        let mut graph = model.graph.clone();
        freeze_statistics(&mut graph);
        let layers: Vec<Node> = layers(&graph, model.output);
        let answer = self.loss.answer(&mut graph, model.output);
        let loss = self.loss.apply(&mut graph, model.output, answer).loss;
        source.connect(&mut graph, model.input, answer);
        graph.check()?;
        let responses: Vec<Var> = layers.iter().map(|node| node.outputs[0]).collect();
        let gradients = autodiff::gradients(&mut graph, loss, &responses)?;
        let targets = [&[model.input][..], &responses, &gradients].concat();
        let measured = measure(model, &graph, &memory, &targets, batch).await?;
        let (input, rest) = (measured[0], &measured[1..]);
        let (responses, gradients) = rest.split_at(responses.len());

        let learned = learned(model, &layers).await?;
        let theory = predict(model, &layers, &learned, input, gradients);
        let rows = layers.iter().zip(responses).zip(gradients).zip(&learned);
        let rows = rows.map(|(((node, response), gradient), learned)| LayerSignal {
            layer: node.name.clone(),
            operator: node.operator.name(),
            weighted: learned.weights.is_some(),
            response: *response,
            response_theory: theory.response(node.outputs[0]).map(Expected::variance),
            gradient: *gradient,
            gradient_theory: theory.gradient(node.outputs[0]),
        });
        Ok(Signals::new(rows.collect()))
    }
}

/// The nodes on the way to the network's response that compute floats.
fn layers(graph: &Graph, output: Var) -> Vec<Node> {
    let needed = graph.needed_nodes(&[output]);
    let nodes = needed.into_iter().map(|index| graph.nodes()[index].clone());
    let floats = |node: &Node| graph.type_of(node.outputs[0]).element == Element::F32;
    nodes.filter(floats).collect()
}

/// Runs the step with every value in a place of its own, and takes the moments of `targets`.
async fn measure(
    model: &Model,
    graph: &Graph,
    memory: &Memory,
    targets: &[Var],
    batch: usize,
) -> Result<Vec<Moments>> {
    let options = PlanOptions {
        batch,
        mode: Mode::Training,
        fuse: false,
        reuse: false,
    };
    let (profile, shaders) = (model.device.profile(), model.device.shaders());
    let plan = Plan::new(graph, targets, options, profile, shaders)?;
    let recording = Recording::new(&plan, profile, shaders)?;
    let shared = [&model.memory, memory];
    let options = ProgramOptions::default();
    let program = Program::new(&model.device, &recording, &shared, options).await?;
    program.run()?;
    let mut moments = Vec::with_capacity(targets.len());
    for &var in targets {
        let numbers: Vec<f32> = match plan.buffer_of(var) {
            Some(buffer) => {
                let value_type = graph.type_of(var);
                let mut range = range(&plan, buffer);
                range.len = value_type.device_len(batch);
                value_type.layout.unpack(&program.read(&range).await?)
            }
            None => Vec::new(),
        };
        moments.push(Moments::of(&numbers));
    }
    Ok(moments)
}

/// Mean squares of the parameters that each layer reads.
async fn learned(model: &Model, layers: &[Node]) -> Result<Vec<Learned>> {
    let by_var: BTreeMap<Var, &Parameter> = model.parameters().iter().map(|p| (p.var, p)).collect();
    let mut all = Vec::with_capacity(layers.len());
    for node in layers {
        let mut learned = Learned {
            scale: 1.0,
            ..Learned::default()
        };
        for parameter in node.inputs.iter().filter_map(|var| by_var.get(var)) {
            let values = model.parameter_async(&parameter.name).await?;
            let Moments { mean, variance } = Moments::of(&values);
            let square = variance + mean * mean;
            match (parameter.role, parameter.name.rsplit('.').next()) {
                (Role::Weight, _) => learned.weights = Some(square),
                (Role::Bias, Some("bias")) => learned.shift = [mean, square],
                (Role::Bias, _) => learned.scale = square,
                (Role::Statistic, _) => {}
            }
        }
        all.push(learned);
    }
    Ok(all)
}

fn predict<'a>(
    model: &'a Model,
    layers: &[Node],
    learned: &[Learned],
    input: Moments,
    gradients: &[Moments],
) -> Theory<'a> {
    let square = |m: &Moments| m.variance + m.mean * m.mean;
    let start = Expected {
        mean: input.mean,
        square: square(&input),
    };
    let mut theory = Theory::new(&model.graph, model.input, start);
    for (node, learned) in layers.iter().zip(learned) {
        theory.forward(node, *learned);
    }
    if let Some(last) = gradients.last() {
        theory.begin_backward(model.output, square(last));
    }
    let mut unknown = vec![false; model.graph.values().len()];
    for (node, learned) in layers.iter().zip(learned).rev() {
        theory.backward(node, *learned, &mut unknown);
    }
    theory
}
