//! Usher's client for Rust.
//!
//! ```no_run
//! # async fn example() -> Result<(), usher_client::Error> {
//! use usher_client::{Inventory, Reason, new_hold_id, v1};
//!
//! let inventory = Inventory::connect("http://127.0.0.1:7421")?;
//! let hold_id = new_hold_id();
//! let request = v1::HoldSeatsRequest {
//!     show_id: "demo".to_owned(),
//!     hold_id: hold_id.clone(),
//!     buyer_id: "ada".to_owned(),
//!     places: Some(v1::Places { seat_indexes: vec![1, 2], ..Default::default() }),
//!     ..Default::default()
//! };
//! match inventory.hold_seats(request).await {
//!     Ok(held) => println!("{:?}", held.hold),
//!     Err(error) if error.reason() == Some(&Reason::PlacesTaken) => println!("somebody was faster"),
//!     Err(error) => return Err(error),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Single calls of many tasks travel together in `Session` streams, a batch for each show: nobody waits for that, whoever
//! asks while nothing is on its way is sent at once. A call that got no answer, or was told to come again, is sent again
//! under the same id until its time is up, which the ids make safe. A show that moved to another server is asked for there.
//! Reading order: [`Inventory`], [`Error`], [`Reason`],
//! then `connection.rs`, where calls are put together, and `gathering.rs`, where plain ones are.

mod backlog;
mod batch;
mod connection;
mod credentials;
mod error;
mod gathering;
mod inventory;
mod mixed_batch;
mod node;
mod nodes;
mod options;
mod reason;
mod retry;
mod unary;

pub use batch::{BATCH_COMMANDS_MAX, Batch, Became};
pub use credentials::{Bearer, NoBearer};
pub use error::{Error, Refused};
pub use inventory::{Inventory, new_hold_id};
pub use mixed_batch::MixedBatch;
pub use options::Options;
pub use reason::Reason;
pub use tonic::transport::{Certificate, ClientTlsConfig, Identity};
pub use usher_proto::v1;
