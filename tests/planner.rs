//! Planning and recording of any network, without a GPU.

mod planning;

#[path = "planner/faults.rs"]
mod faults;
#[path = "planner/properties.rs"]
mod properties;
#[path = "planner/refusals.rs"]
mod refusals;
