//! Measurements of Usher, and what they share: shows of a size, commands made before the clock runs,
//! the conditions of a run, and pictures of figures.
//!
//! Everything random here comes from one fixed seed, so that two runs measure the same work. Nothing here is imported
//! by a product crate.

pub mod chart;
pub mod committers;
pub mod conditions;
pub mod flood;
pub mod over_network;
pub mod percentiles;
pub mod restart;
pub mod sale;
pub mod stages;
pub mod under_load;
pub mod workload;
pub mod written;
