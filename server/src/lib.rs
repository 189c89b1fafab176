//! Usher as a process: gRPC and HTTP/JSON in front of the engine, configuration, clock, command line.
//!
//! It decides nothing about seats. Reading order: [`config`], [`node`] (what runs), [`access`] (who may do
//! what), [`convert`] and [`status`] (the wire and the engine's types), [`service`], [`http`] (the same as JSON), then
//! [`cli`] with [`load`], [`plan`] and [`journal`] (the log as people read it) behind it.

pub mod access;
pub mod cli;
pub mod clock;
pub mod config;
pub mod convert;
mod credentials;
mod dynamic;
mod edge;
pub mod groups;
pub mod http;
pub mod journal;
pub mod load;
mod metrics;
pub mod node;
pub mod plan;
mod reload;
pub mod service;
pub mod shutdown;
pub mod status;
pub mod telemetry;
pub mod token;
