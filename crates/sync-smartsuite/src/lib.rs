//! SmartSuite as the destination of records.
//!
//! Reading order: [`client`] is what the engine calls, one HTTP request a method; [`request`] says what is sent,
//! [`answer`] what an answer means, [`wire`] how their JSON and our values correspond, [`form`] which way of writing a
//! value has proved to work, [`transport`] the one place that touches the network. [`probe`] stands apart: it asks a real
//! workspace what public material leaves open.
//!
//! Nothing outside this crate knows SmartSuite's JSON. Nothing inside it retries, and nothing but the probe waits, by
//! the clock and the gate it is given.

mod answer;
mod client;
mod form;
mod options;
pub mod probe;
mod request;
mod transport;
mod wire;

pub use client::{NewField, SmartSuiteClient, Solution};
pub use options::{Address, BASE_URL, ClientOptions, OptionsError, Timeouts};
pub use transport::{BodyEnd, HttpTransport, Limits, Reply, Transport, TransportError};
