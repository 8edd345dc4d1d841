//! How a graph is computed on one adapter: kernels, their order, and memory. Pure functions
//! that know no GPU.

mod adapter;
mod check;
mod lowering;
mod slots;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use adapter::AdapterProfile;
pub use lowering::{Lowering, Operand};

use crate::error::{Error, Result};
use crate::fuse::{self, Fused};
use crate::graph::{Graph, Home, Var};
use crate::layout::padded;
use crate::ops::Operator;
use crate::ops::batch_norm::Rows;
use crate::ops::choice::{Choice, Choices};
use crate::ops::conv2d::Problem;
use crate::ops::copy::Copy as CopyOperator;
use crate::shader::{Kernel, Shaders};

/// What a plan is for: dropout and batch normalisation differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Batch statistics, random dropout.
    Training,
    /// Running statistics, no dropout.
    Evaluation,
}

/// What to plan.
#[derive(Clone, Copy, Debug)]
pub struct PlanOptions {
    /// Samples in a batch.
    pub batch: usize,
    /// Training or evaluation.
    pub mode: Mode,
    /// Whether neighbouring operators may become one kernel, and the values between them
    /// disappear.
    pub fuse: bool,
    /// Whether values whose lifetimes do not overlap share memory. With neither, every value
    /// can still be read after the step.
    pub reuse: bool,
}

/// A buffer of a plan, before it is given memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BufferId(pub(crate) usize);

impl BufferId {
    /// The place in [`Plan::buffers`] and [`Plan::slot_of`].
    pub const fn index(self) -> usize {
        self.0
    }
}

/// Bytes of a uniform buffer that WebGPU guarantees.
const UNIFORM_BYTES: usize = 1 << 16;

/// What is known of a buffer.
#[derive(Clone, Debug)]
pub struct BufferInfo {
    /// The value's name, or the temporary's.
    pub name: String,
    /// Elements of four bytes.
    pub len: usize,
    /// Shared slot or named buffer.
    pub home: Home,
    /// The buffer of which it is a part, and where in it the part begins; for slots only.
    pub part_of: Option<(BufferId, usize)>,
}

/// A dispatch for a node.
#[derive(Clone, Debug)]
pub struct Call {
    /// The node's name.
    pub node: String,
    /// Shader, constants, grid.
    pub kernel: Kernel,
    /// Buffers by binding number.
    pub buffers: Vec<BufferId>,
    /// Which of them are written.
    pub writes: Vec<bool>,
    /// Its share of the node's floating-point operations, see [`Kernel::arithmetic`].
    pub flops: u64,
    /// The choice of kernels that it belongs to, for convolutions and products.
    pub choice: Option<Choice>,
}

/// Kernels in order, and where every buffer lives.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What was planned.
    pub options: PlanOptions,
    /// The dispatches, in order.
    pub calls: Vec<Call>,
    /// Every buffer that the calls name.
    pub buffers: Vec<BufferInfo>,
    /// The slot of every transient buffer, by [`BufferId`]; `None` for persistent ones.
    pub slot_of: Vec<Option<usize>>,
    /// The slots' sizes in elements.
    pub slots: Vec<usize>,
    /// Elements of the step's values together, before any fusion.
    pub values_len: usize,
    /// Contents of named buffers that hold an operator's own numbers, such as class weights.
    pub data: BTreeMap<String, Arc<[f32]>>,
    /// Convolutions and products by their text, with the kernels chosen for them.
    choices: BTreeMap<String, (Problem, Choice)>,
    values: BTreeMap<Var, BufferId>,
}

impl Plan {
    /// Whether the buffer is all of an operator's own numbers, and so few that any adapter takes them
    /// for a uniform buffer.
    fn is_data(&self, buffer: BufferId) -> bool {
        let BufferInfo { len, home, .. } = &self.buffers[buffer.0];
        let Home::Persistent { buffer, offset: 0 } = home else {
            return false;
        };
        let whole = self.data.get(buffer).is_some_and(|data| data.len() == *len);
        whole && 4 * len <= UNIFORM_BYTES
    }

    /// Plans the nodes that `targets` need, and those that act.
    ///
    /// # Errors
    /// The graph's own first error; [`Error::Invalid`] for a batch of size zero or a problem
    /// that the adapter cannot run; [`Error::OutOfMemory`] for a value larger than what the
    /// adapter binds at once; [`Error::Shader`] for a kernel that does not compile or is bound
    /// wrongly.
    pub fn new(
        graph: &Graph,
        targets: &[Var],
        options: PlanOptions,
        adapter: &AdapterProfile,
        shaders: &Shaders,
    ) -> Result<Self> {
        graph.check()?;
        if options.batch == 0 {
            return Err(Error::Invalid("a batch of size zero has no samples".into()));
        }
        let mut planner = Planner {
            graph,
            adapter,
            shaders,
            plan: Self {
                options,
                calls: Vec::new(),
                buffers: Vec::new(),
                slot_of: Vec::new(),
                slots: Vec::new(),
                values_len: 0,
                data: BTreeMap::new(),
                choices: BTreeMap::new(),
                values: BTreeMap::new(),
            },
            used: BTreeSet::new(),
            statistics: BTreeMap::new(),
        };
        planner.lower_all(targets)?;
        let mut plan = planner.plan;
        slots::assign(&mut plan);
        check::check(&plan)?;
        Ok(plan)
    }

    /// The buffer of a value, if the plan computes or reads it.
    pub fn buffer_of(&self, var: Var) -> Option<BufferId> {
        self.values.get(&var).copied()
    }

    /// The named buffers that must exist, with the elements that the plan touches.
    pub fn persistent(&self) -> BTreeMap<String, usize> {
        let mut named = BTreeMap::new();
        for info in &self.buffers {
            if let Home::Persistent { buffer, offset } = &info.home {
                let len = named.entry(buffer.clone()).or_insert(0);
                *len = (*len).max(offset + info.len);
            }
        }
        named
    }

    /// Elements of all transient buffers together, as if none shared memory.
    pub fn transient_len(&self) -> usize {
        let whole = self.buffers.iter().filter(|b| b.part_of.is_none());
        let transient = whole.filter(|b| b.home == Home::Step);
        transient.map(|b| b.len).sum()
    }

    /// Its convolutions and products, each size once, with the kernels chosen for them.
    pub fn problems(&self) -> impl Iterator<Item = (&Problem, Choice)> {
        self.choices
            .values()
            .map(|(problem, choice)| (problem, *choice))
    }

    /// How its convolutions and products are computed.
    pub fn choices(&self) -> Choices {
        let choices = self.choices.iter();
        choices
            .map(|(problem, (_, choice))| (problem, *choice))
            .collect()
    }

    /// The buffer itself, or the one of which it is a part.
    pub fn whole(&self, buffer: BufferId) -> BufferId {
        self.buffers[buffer.0]
            .part_of
            .map_or(buffer, |(whole, _)| whole)
    }
}

struct Planner<'a> {
    graph: &'a Graph,
    adapter: &'a AdapterProfile,
    shaders: &'a Shaders,
    plan: Plan,
    used: BTreeSet<Var>,
    /// Statistics of values, by the nodes that computed these.
    statistics: BTreeMap<Var, (BufferId, Rows)>,
}

impl Planner<'_> {
    fn lower_all(&mut self, targets: &[Var]) -> Result<()> {
        let order = self.graph.needed_nodes(targets);
        self.plan.values_len = self.values_len(&order);
        let PlanOptions { mode, fuse, .. } = self.plan.options;
        let nodes = match fuse {
            true => fuse::fuse(self.graph, &order, targets, mode),
            false => fuse::plain(self.graph, &order),
        };
        self.used.extend(targets);
        self.used.extend(nodes.iter().flat_map(Fused::reads));
        for target in targets {
            // A target that nothing computes (an input, a parameter) is still known.
            if self.graph.value(*target).producer.is_none() {
                self.buffer(*target);
            }
        }
        for fused in &nodes {
            self.lower(fused)?;
        }
        Ok(())
    }

    /// Elements of what the nodes `order` compute for the step, views not counted.
    fn values_len(&self, order: &[usize]) -> usize {
        let PlanOptions { mode, batch, .. } = self.plan.options;
        let nodes = order.iter().map(|&index| &self.graph.nodes()[index]);
        let computed = nodes.filter(|node| !node.operator.is_view(mode));
        let values = computed.flat_map(|node| &node.outputs);
        let values = values.map(|&var| self.graph.value(var));
        let transient = values.filter(|value| value.home == Home::Step);
        transient
            .map(|v| padded(v.value_type.device_len(batch)))
            .sum()
    }

    fn lower(&mut self, fused: &Fused) -> Result<()> {
        let node = &fused.node;
        let first = self.plan.calls.len();
        let outcome = if node.operator.is_view(self.plan.options.mode) {
            self.view(fused)
        } else {
            node.operator.lower(&mut Lowering::new(self, fused))
        };
        outcome.map_err(|reason| Error::Layer {
            layer: node.name.clone(),
            operator: node.operator.name(),
            reason,
        })?;
        for index in first..self.plan.calls.len() {
            self.bind(index)?;
        }
        let types = |vars: &[Var]| vars.iter().map(|v| self.graph.type_of(*v)).collect();
        let (inputs, outputs): (Vec<_>, Vec<_>) = (types(&node.inputs), types(&node.outputs));
        let batch = self.plan.options.batch;
        let flops = node.operator.flops(&inputs, &outputs, batch);
        credit(&mut self.plan.calls[first..], flops);
        Ok(())
    }

    /// The result is the operand itself, unless it has a place of its own to be copied to.
    fn view(&mut self, fused: &Fused) -> Result<(), String> {
        let (input, output) = (fused.node.inputs[0], fused.node.outputs[0]);
        if self.graph.value(output).home == Home::Step {
            let buffer = self.buffer(input);
            self.plan.values.insert(output, buffer);
            return Ok(());
        }
        CopyOperator.lower(&mut Lowering::new(self, fused))
    }

    /// Replaces the names of a call's bindings by numbers, as the shader declares them.
    fn bind(&mut self, index: usize) -> Result<()> {
        let call = &self.plan.calls[index];
        let composed = self.shaders.compose(&call.kernel)?;
        let fail = |reason: String| {
            Err(Error::Shader {
                shader: composed.name.to_owned(),
                reason,
            })
        };
        let mut buffers = Vec::new();
        for binding in &composed.bindings {
            let found = call.kernel.buffers.iter().find(|b| b.0 == binding.name);
            let Some((_, buffer)) = found else {
                return fail(format!("nothing is bound to `{}`", binding.name));
            };
            if binding.uniform && !self.plan.is_data(*buffer) {
                return fail(format!(
                    "`{}` is a uniform buffer: for the operator's own numbers alone",
                    binding.name
                ));
            }
            buffers.push(*buffer);
        }
        if buffers.len() != call.kernel.buffers.len() {
            return fail(format!(
                "{} buffers are bound, the shader declares {}",
                call.kernel.buffers.len(),
                buffers.len()
            ));
        }
        let limit = self.adapter.max_storage_buffers;
        let storage = composed.bindings.iter().filter(|b| !b.uniform).count();
        if storage > limit {
            return fail(format!("it binds more than {limit} storage buffers"));
        }
        let most = self.adapter.max_binding_size;
        let bytes = |buffer: &BufferId| 4 * self.plan.buffers[buffer.0].len as u64;
        if let Some(large) = buffers.iter().find(|b| bytes(b) > most) {
            return Err(Error::OutOfMemory {
                buffer: self.plan.buffers[large.0].name.clone(),
                bytes: bytes(large),
                reason: format!(
                    "`{}` binds them at once, the adapter allows {most}",
                    call.node
                ),
            });
        }
        let groups = call
            .kernel
            .grid
            .workgroups(composed.workgroup_size, self.adapter.max_workgroups);
        if groups.iter().any(|g| *g > self.adapter.max_workgroups) {
            return fail(format!(
                "{groups:?} workgroups are more than the adapter's {}",
                self.adapter.max_workgroups
            ));
        }
        let call = &mut self.plan.calls[index];
        call.buffers = buffers;
        call.writes = composed.bindings.iter().map(|b| b.writes).collect();
        Ok(())
    }

    /// The buffer of a value; made at its first mention.
    fn buffer(&mut self, var: Var) -> BufferId {
        if let Some(buffer) = self.plan.values.get(&var) {
            return *buffer;
        }
        let value = self.graph.value(var);
        let len = value.value_type.device_len(self.plan.options.batch);
        let buffer = self.add(&value.name, len, value.home.clone());
        self.plan.values.insert(var, buffer);
        buffer
    }

    fn add(&mut self, name: &str, len: usize, home: Home) -> BufferId {
        self.plan.buffers.push(BufferInfo {
            name: name.to_owned(),
            // Whole vec4s, so that one number too can be bound as `array<vec4f>`.
            len: padded(len),
            home,
            part_of: None,
        });
        BufferId(self.plan.buffers.len() - 1)
    }
}

/// Shares a node's operations among those of its calls that do them.
fn credit(calls: &mut [Call], flops: u64) {
    let marked = calls.iter().filter(|call| call.kernel.arithmetic).count();
    let counted = |call: &&mut Call| marked == 0 || call.kernel.arithmetic;
    let sharers = marked.max(1) as u64;
    for (i, call) in calls
        .iter_mut()
        .filter(counted)
        .take(marked.max(1))
        .enumerate()
    {
        call.flops = flops / sharers + u64::from((i as u64) < flops % sharers);
    }
}
