//! What an operator sees when it emits its kernels.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{AdapterProfile, BufferId, Call, Mode, Planner};
use crate::fuse::{Fused, Rectifier};
use crate::graph::{Home, ValueType, Var};
use crate::layout::padded;
use crate::ops::batch_norm::Rows;
use crate::ops::choice::Choice;
use crate::ops::conv2d::{Problem, Variant};
use crate::shader::Kernel;

/// An operand or result with its buffer.
#[derive(Clone, Debug)]
pub struct Operand {
    /// The buffer to bind.
    pub buffer: BufferId,
    /// Shape, layout, element.
    pub value_type: ValueType,
    /// Elements on the device, for the whole batch.
    pub len: usize,
}

impl From<&Operand> for BufferId {
    fn from(operand: &Operand) -> Self {
        operand.buffer
    }
}

/// The kernels of one node under construction.
pub struct Lowering<'a> {
    planner: &'a mut dyn Context,
    fused: &'a Fused,
    /// Of the convolution or product that is being lowered.
    choice: Option<Choice>,
}

/// The planner, seen without its lifetimes.
trait Context {
    fn operand(&mut self, var: Var) -> Operand;
    fn add_buffer(&mut self, name: &str, len: usize, home: Home) -> BufferId;
    fn add_part(&mut self, whole: BufferId, offset: usize, len: usize) -> BufferId;
    fn add_call(&mut self, call: Call);
    fn add_data(&mut self, name: &str, contents: Vec<f32>) -> BufferId;
    fn is_used(&self, var: Var) -> bool;
    fn batch(&self) -> usize;
    fn mode(&self) -> Mode;
    fn adapter(&self) -> &AdapterProfile;
    fn note(&mut self, problem: &Problem, choice: Choice);
    fn statistics(&mut self) -> &mut BTreeMap<Var, (BufferId, Rows)>;
}

impl Context for Planner<'_> {
    fn operand(&mut self, var: Var) -> Operand {
        let value_type = self.graph.type_of(var).clone();
        Operand {
            buffer: self.buffer(var),
            len: value_type.device_len(self.plan.options.batch),
            value_type,
        }
    }

    fn add_buffer(&mut self, name: &str, len: usize, home: Home) -> BufferId {
        self.add(name, len, home)
    }

    fn add_part(&mut self, whole: BufferId, offset: usize, len: usize) -> BufferId {
        let info = self.plan.buffers[whole.0].clone();
        if offset == 0 && len == info.len {
            return whole;
        }
        match info.home {
            Home::Step => {
                let part = self.add(&info.name, len, Home::Step);
                let (whole, begin) = info.part_of.unwrap_or((whole, 0));
                self.plan.buffers[part.0].part_of = Some((whole, begin + offset));
                part
            }
            Home::Persistent {
                buffer,
                offset: begin,
            } => {
                let offset = begin + offset;
                self.add(&info.name, len, Home::Persistent { buffer, offset })
            }
        }
    }

    fn add_call(&mut self, call: Call) {
        self.plan.calls.push(call);
    }

    fn add_data(&mut self, name: &str, contents: Vec<f32>) -> BufferId {
        // Two nodes may bear one name.
        let data = &mut self.plan.data;
        let namesakes = data.keys().filter(|known| known.starts_with(name)).count();
        let buffer = match namesakes {
            0 => name.to_owned(),
            _ => format!("{name}.{namesakes}"),
        };
        let len = contents.len();
        data.insert(buffer.clone(), contents.into());
        self.add(name, len, Home::Persistent { buffer, offset: 0 })
    }

    fn is_used(&self, var: Var) -> bool {
        self.used.contains(&var)
    }

    fn batch(&self) -> usize {
        self.plan.options.batch
    }

    fn mode(&self) -> Mode {
        self.plan.options.mode
    }

    fn adapter(&self) -> &AdapterProfile {
        self.adapter
    }

    fn note(&mut self, problem: &Problem, choice: Choice) {
        let known = (*problem, choice);
        self.plan.choices.insert(problem.to_string(), known);
    }

    fn statistics(&mut self) -> &mut BTreeMap<Var, (BufferId, Rows)> {
        &mut self.statistics
    }
}

impl<'a> Lowering<'a> {
    pub(super) fn new(planner: &'a mut Planner<'_>, fused: &'a Fused) -> Self {
        let choice = None;
        Self {
            planner,
            fused,
            choice,
        }
    }

    /// Samples in the batch.
    pub fn batch(&self) -> usize {
        self.planner.batch()
    }

    /// Training or evaluation.
    pub fn mode(&self) -> Mode {
        self.planner.mode()
    }

    /// The adapter that will run the kernels.
    pub fn adapter(&self) -> &AdapterProfile {
        self.planner.adapter()
    }

    /// The kernels for a convolution or product: the measured choice for the adapter if there is
    /// one, else that by adapter and shapes; a variant that is asked for overrides both.
    pub(crate) fn choose(&mut self, problem: &Problem, variant: Option<Variant>) -> Choice {
        let adapter = self.adapter();
        if variant.is_some() {
            let choice = problem.heuristic(variant, adapter);
            self.choice = Some(choice);
            return choice;
        }
        // A file of choices may say anything; shaders run unchecked.
        let able = |choice: &Choice| problem.candidates(adapter).contains(choice);
        let measured = adapter.choices.get(problem).filter(able);
        let choice = measured.unwrap_or_else(|| problem.heuristic(None, adapter));
        self.planner.note(problem, choice);
        self.choice = Some(choice);
        choice
    }

    /// The operand `index`.
    pub fn input(&mut self, index: usize) -> Operand {
        self.planner.operand(self.fused.node.inputs[index])
    }

    /// The number of operands.
    pub fn inputs(&self) -> usize {
        self.fused.node.inputs.len()
    }

    /// The result `index`.
    pub fn output(&mut self, index: usize) -> Operand {
        self.planner.operand(self.fused.node.outputs[index])
    }

    /// Whether anything reads the result `index`.
    pub fn is_used(&self, index: usize) -> bool {
        self.planner.is_used(self.fused.node.outputs[index])
    }

    /// A buffer of `len` elements that lives from its first to its last use in this node.
    pub fn temporary(&mut self, name: &str, len: usize) -> BufferId {
        let name = format!("{}.{name}", self.fused.node.name);
        self.planner.add_buffer(&name, len, Home::Step)
    }

    /// `len` elements of a named buffer that outlives the step.
    pub fn persistent(&mut self, buffer: &str, offset: usize, len: usize) -> BufferId {
        let home = Home::Persistent {
            buffer: buffer.to_owned(),
            offset,
        };
        self.planner.add_buffer(buffer, len, home)
    }

    /// `len` elements of a buffer from `offset` on, a multiple of 64, as a buffer of its own.
    pub fn part(&mut self, whole: BufferId, offset: usize, len: usize) -> BufferId {
        self.planner.add_part(whole, offset, len)
    }

    /// Cuts `len` elements into ranges that can be bound, all but the last a multiple of `unit`
    /// long; `unit` is a multiple of 64. One range where the whole can be bound.
    pub fn pieces(&self, len: usize, unit: usize) -> Vec<Range<usize>> {
        let most = self.adapter().most_elements();
        let step = match len <= most {
            true => len.max(1),
            false => (most / unit * unit).max(unit),
        };
        let starts = (0..len).step_by(step);
        starts.map(|first| first..len.min(first + step)).collect()
    }

    /// Adds what the planner has fused behind this node to the kernel that stores its first
    /// result: see [`Operator::takes_epilogue`](crate::ops::Operator::takes_epilogue). Nothing
    /// if nothing is fused.
    #[must_use]
    pub fn epilogue(&mut self, kernel: Kernel) -> Kernel {
        let whole = 0..self.output(0).len;
        self.epilogue_of(kernel, whole)
    }

    /// As [`Lowering::epilogue`] for a kernel that stores only these elements of the result; the
    /// first is a multiple of 64.
    #[must_use]
    pub fn epilogue_of(&mut self, mut kernel: Kernel, elements: Range<usize>) -> Kernel {
        let epilogue = &self.fused.epilogue;
        if let Some(residual) = epilogue.residual {
            let residual = self.planner.operand(residual).buffer;
            let part = self
                .planner
                .add_part(residual, elements.start, elements.len());
            kernel = kernel.flag("RESIDUAL", true).bind("addend", part);
        }
        if let Some(rectifier) = epilogue.rectifier {
            kernel = rectifier.define(kernel);
        }
        if let Some(slopes) = epilogue.rectifier.and_then(Rectifier::slopes) {
            let slopes = self.planner.operand(slopes);
            kernel = kernel.bind("slopes", &slopes);
        }
        kernel
    }

    /// A buffer for statistics of the first result, cut into these pieces, as
    /// `shaders/batch_norm_partials.wgsl` has them; `None` if nobody asks for them.
    pub(crate) fn leave_statistics(&mut self, rows: Rows, vectors: usize) -> Option<BufferId> {
        if !self.fused.statistics {
            return None;
        }
        let buffer = self.temporary("statistics", rows.statistics(vectors));
        let result = self.fused.node.outputs[0];
        self.planner.statistics().insert(result, (buffer, rows));
        Some(buffer)
    }

    /// What the node that computed the operand `index` has left of its statistics.
    pub(crate) fn statistics_of(&mut self, index: usize) -> Option<(BufferId, Rows)> {
        let operand = self.fused.node.inputs[index];
        self.planner.statistics().get(&operand).copied()
    }

    /// A buffer with these contents, which no kernel writes: the operator's own numbers, as many
    /// as there are (class weights). What pads it to whole vec4s is zero. Up to 64 KiB, a shader may
    /// declare it as `var<uniform>`.
    pub fn data(&mut self, name: &str, values: &[f32]) -> BufferId {
        let name = format!("{}.{name}", self.fused.node.name);
        let mut contents = values.to_vec();
        contents.resize(padded(values.len()), 0.0);
        self.planner.add_data(&name, contents)
    }

    /// A buffer of integers, which no kernel writes: sizes that the kernels of several layers read,
    /// so that one compiled kernel serves all; as a rule `var<uniform>`.
    pub fn words(&mut self, name: &str, words: &[u32]) -> BufferId {
        // As they lie in memory; nobody computes with them.
        let bits: Vec<f32> = words.iter().map(|word| f32::from_bits(*word)).collect();
        self.data(name, &bits)
    }

    /// Emits a dispatch, after those before it.
    pub fn dispatch(&mut self, kernel: Kernel) {
        self.planner.add_call(Call {
            node: self.fused.label.clone(),
            kernel,
            buffers: Vec::new(),
            writes: Vec::new(),
            flops: 0,
            choice: self.choice,
        });
    }
}
