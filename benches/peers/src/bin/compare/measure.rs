//! Turn by turn: every engine takes a block of steps, then the next one does, several rounds.
//! A machine that slows down for a while slows all of them.

use std::path::Path;
use std::time::Duration;

use wgrad_peers::workload::Workload;

use crate::engine::Ready;
use crate::options::Options;
use crate::remote::Remote;

/// The middle of several numbers, and how far they went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    /// `None` of nothing.
    pub fn of(mut numbers: Vec<f64>) -> Option<Self> {
        numbers.sort_by(f64::total_cmp);
        let last = numbers.len().checked_sub(1)?;
        Some(Self {
            median: (numbers[last / 2] + numbers[last.div_ceil(2)]) / 2.0,
            least: numbers[0],
            most: numbers[last],
        })
    }
}

/// What an engine did with a workload.
#[derive(Debug)]
pub struct Timed {
    /// Seconds for a step.
    pub step: Spread,
    /// Its time over the first engine's in the same round.
    pub ratio: Option<Spread>,
    /// From the start of the process to the end of its first step.
    pub first_step: Duration,
    /// Bytes.
    pub peak_memory: Option<u64>,
}

/// A row of the table; an error says why there are no numbers.
#[derive(Debug)]
pub struct Row {
    pub workload: Workload,
    pub batch: usize,
    pub engine: &'static str,
    pub outcome: Result<Timed, String>,
}

/// An engine in the race: its process, the steps of a turn, and the seconds of a step by round.
struct Racer<'a> {
    ready: &'a Ready,
    remote: Result<Remote, String>,
    steps: usize,
    seconds: Vec<f64>,
}

/// Times every engine that can do the workload.
pub fn compare(
    engines: &[Ready],
    workload: Workload,
    batch: usize,
    options: &Options,
    caches: &Path,
) -> Vec<Row> {
    let able = engines.iter().filter(|e| e.engine.can(&workload));
    let mut racers: Vec<Racer> = able
        .map(|ready| warm_up(ready, &workload, batch, options, caches))
        .collect();
    for round in 1..=options.rounds {
        eprintln!(
            "peers: {}, round {round} of {}",
            workload.name, options.rounds
        );
        for racer in &mut racers {
            let Ok(remote) = &mut racer.remote else {
                continue;
            };
            match remote.run(racer.steps) {
                Ok(block) => racer.seconds.push(block.seconds / racer.steps as f64),
                Err(reason) => racer.remote = Err(reason),
            }
        }
    }
    // The first engine need not be able to do this workload; then there are no ratios.
    let is_first = |racer: &&Racer| {
        engines
            .first()
            .is_some_and(|e| e.engine == racer.ready.engine)
    };
    let first = racers.iter().find(is_first).map(|r| r.seconds.clone());
    let first = first.unwrap_or_default();
    racers
        .into_iter()
        .map(|racer| racer.finish(workload, batch, &first))
        .collect()
}

/// Starts an engine and finds out how many steps a turn has.
fn warm_up<'a>(
    ready: &'a Ready,
    workload: &Workload,
    batch: usize,
    options: &Options,
    caches: &Path,
) -> Racer<'a> {
    let name = ready.engine.name();
    let folder = caches.join(format!("{name}-{}", workload.name));
    let mut steps = options.steps.unwrap_or(1);
    let mut start = || {
        let mut remote = Remote::start(ready.command(workload.name, batch), &folder)?;
        // The second step may still tune or allocate; the third one tells the speed.
        remote.run(1)?;
        let estimate = remote.run(1)?.seconds;
        if options.steps.is_none() {
            steps = (options.seconds / estimate).ceil().clamp(1.0, 1e4) as usize;
        }
        Ok(remote)
    };
    let remote: Result<Remote, String> = start();
    match &remote {
        Ok(remote) => eprintln!(
            "peers: {}, {name}: first step after {:.1} s",
            workload.name,
            remote.first_step.as_secs_f64()
        ),
        Err(reason) => eprintln!("peers: {}, {name}: {reason}", workload.name),
    }
    Racer {
        ready,
        remote,
        steps,
        seconds: Vec::new(),
    }
}

impl Racer<'_> {
    fn finish(self, workload: Workload, batch: usize, first: &[f64]) -> Row {
        let ratios = self
            .seconds
            .iter()
            .zip(first)
            .map(|(own, first)| own / first);
        let ratio = Spread::of(ratios.collect());
        let timed = |remote: Remote| {
            Some(Timed {
                step: Spread::of(self.seconds)?,
                ratio,
                first_step: remote.first_step,
                peak_memory: remote.peak_memory(),
            })
        };
        Row {
            workload,
            batch,
            engine: self.ready.engine.name(),
            outcome: self
                .remote
                .and_then(|remote| timed(remote).ok_or("no round was run".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_in_the_middle() {
        let spread = Spread::of(vec![3.0, 1.0, 2.0]).unwrap();
        assert_eq!((spread.least, spread.median, spread.most), (1.0, 2.0, 3.0));
        assert_eq!(Spread::of(vec![4.0, 1.0]).unwrap().median, 2.5);
        assert_eq!(Spread::of(vec![]), None);
    }
}
