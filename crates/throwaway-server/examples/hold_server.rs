//! Starts a `MariaDB` server, prints its address and data folder, and holds it until standard input
//! ends or this process dies: `cargo run -p throwaway-server --example hold_server`.

use std::io;

use throwaway_server::{Flavor, Server};

#[expect(clippy::print_stdout, reason = "its standard output is what it is for")]
fn main() -> anyhow::Result<()> {
    let server = Server::start(Flavor::MariaDb)?;
    println!("{}\n{}", server.url(), server.data_folder().display());
    io::read_to_string(io::stdin())?;
    Ok(())
}
