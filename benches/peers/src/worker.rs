//! An engine's side of the [`protocol`](crate::protocol).

use std::io::BufRead;
use std::time::Instant;

use crate::protocol::{DONE, READY};

/// The workload and the batch size of this process, from its command line.
///
/// # Panics
/// If they are not there: a person started the program by hand.
pub fn task() -> (String, usize) {
    let mut words = std::env::args().skip(1);
    let task = words
        .next()
        .zip(words.next().and_then(|batch| batch.parse().ok()));
    task.expect("usage: <program> <workload> <batch>; see `cargo xtask peers --help`")
}

/// Takes blocks of steps as they are asked for. `run` takes that many steps, waits for the
/// device, and returns the last loss.
pub fn serve(mut run: impl FnMut(usize) -> f32) {
    println!("{READY} {}", run(1));
    for line in std::io::stdin().lock().lines() {
        let steps = line.ok().and_then(|line| line.trim().parse().ok());
        let Some(steps) = steps else { break };
        let start = Instant::now();
        let loss = run(steps);
        println!("{DONE} {} {loss}", start.elapsed().as_secs_f64());
    }
}
