//! What the comparison and the engines' programs share: the work to be done, and the lines by
//! which they speak.

pub mod protocol;
pub mod worker;
pub mod workload;
