//! Usher's engine: who gets which place, decided by one thread a shard, in memory, durable before it is answered.
//!
//! Reading order: [`ids`], [`time`], [`command`], [`rejection`], [`event`], then the pure core in [`inventory`], then
//! [`codec`] (events to bytes), [`shard`] (the thread that drives the core and the log) and [`router`] (which show is
//! where).
//!
//! Invariants:
//! - A place is available, held or sold, and exactly one of them. What is decided is applied before anything else is
//!   decided.
//! - There is no IO, clock, randomness, runtime or wire format in this crate but for the log behind `usher_wal::Log`.
//! - Replaying the log gives the state that logging it came from: the same state hash.

pub mod audit;
pub mod codec;
pub mod command;
pub mod event;
pub mod ids;
pub mod inventory;
mod kinds;
pub mod rejection;
pub mod resharding;
pub mod restoring;
pub mod router;
pub mod shard;
pub mod start;
pub mod text;
pub mod time;
