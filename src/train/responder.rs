//! Plans that answer samples, for any number of threads.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::evaluate::{Planned, packed};
use super::model::Model;
use crate::error::Result;
use crate::graph::ValueType;
use crate::record::{self, Recording};
use crate::run::ReadBack;

/// Batches of a call that may wait in the device's queue.
const IN_FLIGHT: usize = 2;

/// A plan for answering batches of one size.
#[derive(Debug)]
pub(super) struct Responder {
    planned: Planned,
    input: (ValueType, record::Range),
    response: (ValueType, record::Range),
    /// All threads write to the same input. Who has the lock submits writing, computing and
    /// copying of the response, which the device then does in this order; nobody waits with it.
    turn: Mutex<()>,
}

impl Responder {
    pub(super) async fn new(model: &Model, batch: usize) -> Result<Self> {
        let mut graph = model.graph.clone();
        graph.place(model.output, "response", 0);
        let planned = Planned::new(model, graph, &[model.output], batch).await?;
        Ok(Self {
            input: planned.place(model.input)?,
            response: planned.place(model.output)?,
            planned,
            turn: Mutex::default(),
        })
    }

    pub(super) fn recording(&self) -> &Recording {
        &self.planned.recording
    }

    /// Submits up to a batch of samples, in PyTorch's order.
    fn submit(&self, samples: &[f32]) -> Result<ReadBack> {
        let input = packed(&self.input, samples);
        let program = &self.planned.program;
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        program.write(&self.input.1, &input)?;
        program.run()?;
        program.fetch(&self.response.1)
    }

    /// The responses to the first samples of a batch, in PyTorch's order.
    fn unpack(&self, stored: &[f32], samples: usize) -> Vec<f32> {
        let (value_type, _) = &self.response;
        let mut response = value_type.layout.unpack(stored);
        response.truncate(samples * value_type.shape.elements());
        response
    }
}

impl Model {
    /// The responses to `count` samples, one after the other in PyTorch's order, by plans for
    /// batches of these `sizes`. `samples` gives the samples of a range.
    pub(super) async fn respond<'a>(
        &self,
        sizes: &[usize],
        count: usize,
        samples: impl Fn(Range<usize>) -> Result<Cow<'a, [f32]>>,
    ) -> Result<Vec<f32>> {
        let mut responses = Vec::with_capacity(count * self.output_shape().elements());
        let mut in_flight = VecDeque::new();
        let mut batches = batches(count, sizes).into_iter();
        loop {
            let next = batches.next();
            let more = next.is_some();
            if let Some((batch, range)) = next {
                let responder = self.responder(batch).await?;
                let read_back = responder.submit(&samples(range.clone())?)?;
                in_flight.push_back((responder, read_back, range.len()));
            }
            if more && in_flight.len() < IN_FLIGHT {
                continue;
            }
            let Some((responder, read_back, len)) = in_flight.pop_front() else {
                return Ok(responses);
            };
            let stored: Vec<f32> = read_back.receive(&self.device).await?;
            responses.extend(responder.unpack(&stored, len));
        }
    }
}

/// Cuts `count` samples into batches of these sizes: the largest as long as it is filled, then the
/// smallest that takes the rest, which need not fill it.
fn batches(count: usize, sizes: &[usize]) -> Vec<(usize, Range<usize>)> {
    let mut batches = Vec::new();
    let mut start = 0;
    while start < count {
        let left = count - start;
        let enough = sizes.iter().filter(|size| **size >= left).min();
        let Some(&size) = enough.or(sizes.iter().max()) else {
            return batches;
        };
        let end = count.min(start + size.max(1));
        batches.push((size, start..end));
        start = end;
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::batches;

    #[test]
    fn the_rest_takes_the_smallest_plan_that_is_large_enough() {
        assert_eq!(batches(0, &[1, 8]), []);
        assert_eq!(batches(1, &[8, 1]), [(1, 0..1)]);
        assert_eq!(batches(2, &[1, 8]), [(8, 0..2)]);
        assert_eq!(batches(17, &[1, 8]), [(8, 0..8), (8, 8..16), (1, 16..17)]);
        assert_eq!(
            batches(21, &[1, 4, 16]),
            [(16, 0..16), (16, 16..21)],
            "5 are more than 4"
        );
    }
}
