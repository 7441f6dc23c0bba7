//! The command line, for the crate's own binary and for programs that offer the emulator.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::emulator::{BuildError, Emulator};
use crate::faults::FaultScript;
use crate::profile::{Profile, ProfileName, SwitchError};
use crate::seed::Seed;
use crate::server::{SharedEmulator, serve};

/// Options of the emulator.
#[derive(Debug, Clone, Args)]
pub struct EmulatorArgs {
    /// Port on 127.0.0.1; 0 chooses a free one, which the first line of output names.
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Bundle of behaviours: default, strict, lenient, adversarial.
    #[arg(long, default_value = "default")]
    pub profile: String,
    /// A single behaviour, over the profile's; may be repeated.
    #[arg(long = "set", value_name = "SWITCH=VALUE")]
    pub set: Vec<String>,
    /// JSON file of accounts, keys, tables and records; `demo` (two tables) or `empty` (none).
    #[arg(long, default_value = "demo", value_name = "FILE")]
    pub seed: String,
    /// JSON file of faults to inject.
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// File that keeps everything between runs; where it exists already, it wins over `--seed`.
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// A second port for the webhooks service; the first one serves it too.
    #[arg(long, value_name = "PORT")]
    pub webhooks_port: Option<u16>,
    /// Requests a second before the 30-second lock-out, or `off`.
    #[arg(long, value_name = "N|off")]
    pub rate_limit: Option<String>,
    /// Number that decides ids and chances: the same number, the same run.
    #[arg(long, default_value_t = 0)]
    pub chance: u64,
}

/// What ends the emulator before it serves.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Switch(#[from] SwitchError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Seed(#[from] crate::seed::SeedError),
    #[error(transparent)]
    Faults(#[from] crate::faults::FaultScriptError),
    #[error("--set {0}: write it as SWITCH=VALUE")]
    Set(String),
    #[error("port {0}: {1}")]
    Port(u16, std::io::Error),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Runs the emulator until Ctrl-C or SIGTERM.
///
/// The exit code is 0 when it was ended so, 64 when an option is wrong, 1 for anything else.
pub fn run_cli(args: &EmulatorArgs) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(run(args)),
        Err(error) => Err(error.into()),
    };
    let Err(error) = ended else { return ExitCode::SUCCESS };
    say(std::io::stderr(), &format!("smartsuite-emulator: {error}"));
    match error {
        CliError::Port(..) | CliError::Io(_) => ExitCode::FAILURE,
        CliError::Switch(_)
        | CliError::Build(_)
        | CliError::Seed(_)
        | CliError::Faults(_)
        | CliError::Set(_) => ExitCode::from(64),
    }
}

fn say(mut to: impl Write, line: &str) {
    // Nobody may be listening any more; that ends nothing.
    let _unheard = writeln!(to, "{line}").and_then(|()| to.flush());
}

async fn run(args: &EmulatorArgs) -> Result<(), CliError> {
    let emulator = prepared(args)?;
    let emulator = match &args.data {
        Some(file) => SharedEmulator::with_file(emulator, file)?,
        None => SharedEmulator::new(emulator),
    };
    let listener = bound(args.port).await?;
    let address = listener.local_addr()?;
    // Before anybody is told of the address: from then on it may be asked to end.
    let terminate = signal(SignalKind::terminate())?;
    say(
        std::io::stdout(),
        &format!("smartsuite-emulator listening on http://{address} (an emulator, not SmartSuite)"),
    );
    say(
        std::io::stdout(),
        &format!("It reproduces public material. See its tables at http://{address}/_emulator/"),
    );
    let served = match args.webhooks_port {
        None => serve(listener, emulator.clone(), ended(terminate)).await,
        Some(port) => {
            let second = bound(port).await?;
            let address = second.local_addr()?;
            say(std::io::stdout(), &format!("webhooks also on http://{address}"));
            tokio::select! {
                served = serve(listener, emulator.clone(), ended(terminate)) => served,
                served = serve(second, emulator.clone(), std::future::pending()) => served,
            }
        }
    };
    emulator.compact();
    Ok(served?)
}

async fn bound(port: u16) -> Result<TcpListener, CliError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|error| CliError::Port(port, error))
}

async fn ended(mut terminate: Signal) {
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

fn prepared(args: &EmulatorArgs) -> Result<Emulator, CliError> {
    let mut profile: Profile = args.profile.parse::<ProfileName>()?.profile();
    if let Some(limit) = &args.rate_limit {
        profile.set("rate_limit", limit)?;
    }
    for set in &args.set {
        let (switch, value) = set.split_once('=').ok_or_else(|| CliError::Set(set.clone()))?;
        profile.set(switch.trim(), value.trim())?;
    }
    let seed = match args.seed.as_str() {
        "demo" => Seed::demo()?,
        "empty" => Seed::account()?,
        file => Seed::from_json(&read(Path::new(file))?)?,
    };
    let faults = match &args.faults {
        Some(file) => FaultScript::from_json(read(file)?.as_bytes())?,
        None => FaultScript::default(),
    };
    let emulator = Emulator::builder()
        .profile(profile)
        .seed(seed)
        .faults(faults)
        .chance(args.chance)
        .now(SharedEmulator::real_now());
    Ok(emulator.build()?)
}

fn read(file: &Path) -> Result<String, BuildError> {
    std::fs::read_to_string(file)
        .map_err(|source| BuildError::File { path: file.display().to_string(), source })
}
