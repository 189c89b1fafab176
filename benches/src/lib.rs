//! Measurements of Usher, and what they share: shows of a size and commands made before the clock runs.
//!
//! Everything random here comes from one fixed seed, so that two runs measure the same work. Nothing here is imported
//! by a product crate.

pub mod percentiles;
pub mod workload;
