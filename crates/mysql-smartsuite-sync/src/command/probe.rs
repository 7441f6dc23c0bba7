//! `probe`: asks a real workspace, in a scratch table, what public material leaves open.

use std::{
    fs, io,
    io::{BufRead as _, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use sync_core::{pace::Rate, port::Clock};
use sync_smartsuite::{
    Address, HttpTransport,
    probe::{Finding, PROFILE_DAYS, ProbeError, ProbeParts, ProbeProfile, calls_max, probe},
};

use crate::{
    cli::Global,
    command,
    environment::Settings,
    exit::Exit,
    failure::Failure,
    mapping_file::MappingFile,
    report::{Paint, Screen, counted},
    signal::Ending,
    state_gate::StateGate,
    test_settings,
};

/// Under this name the probe's calls are counted beside those of syncs.
const NAME: &str = "(probe)";

/// Options of `probe`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ProbeArgs {
    /// The id of an empty table with a text field called `External ID`; the probe writes and deletes records in it
    #[arg(long, value_name = "ID")]
    table: String,
    /// Do not ask before the first call
    #[arg(long)]
    yes: bool,
    /// Provoke a 429 as well: for about a minute nobody can use the API key
    #[arg(long)]
    allow_lockout: bool,
    /// What was found as JSON
    #[arg(long)]
    json: bool,
}

/// Asks, and shows and keeps the answers.
pub(crate) fn perform(global: &Global, args: &ProbeArgs, screen: &Screen) -> Result<Exit, Failure> {
    let environment = command::environment()?;
    let settings = environment.settings(&command::flags(global))?;
    let address = settings.smartsuite.address().map_err(|error| failure(&error.into()))?;
    let file = MappingFile::read(&global.config, &environment);
    let config = file.ok().and_then(|file| file.config).unwrap_or_default();
    let rate = test_settings::rate(&config, &environment, &address)?;
    let clock = test_settings::clock(&environment, &address)?;
    let path = profile_path(&settings);
    if let Some(earlier) = read(&path)
        && earlier.holds(&address.host, &settings.smartsuite.account_id, clock.now())
    {
        let (from, to) = (day(earlier.probed_at), day(earlier.expires_at));
        screen.remark(&format!("a probe of {from} is kept until {to}; this one will replace it"));
    }
    announce(args, &settings, &address, screen);
    if !args.yes && !agreed(screen)? {
        screen.remark("nothing was sent");
        return Ok(Exit::Done);
    }
    let runtime = command::runtime()?;
    let profile = runtime.block_on(ask(args, &settings, &address, rate, clock, screen))?;
    let Some(profile) = profile else { return Ok(Exit::Interrupted) };
    write(&path, &profile)?;
    screen.say(&if args.json { json(&profile) } else { text(&profile, screen.out) });
    screen.remark(&format!("kept as `{}` until {}", path.display(), day(profile.expires_at)));
    if profile.records_left > 0 {
        let left = counted(u64::try_from(profile.records_left).unwrap_or(u64::MAX), "record");
        screen.remark(&format!("{left} of the probe could not be deleted"));
        screen.remark(&screen.hint("run `probe` again: it deletes what an earlier one left"));
        return Ok(Exit::Failed);
    }
    Ok(Exit::Done)
}

/// What it costs and does, before anything is sent.
fn announce(args: &ProbeArgs, settings: &Settings, address: &Address, screen: &Screen) {
    let (most, account) = (calls_max(args.allow_lockout), &settings.smartsuite.account_id);
    let (host, table) = (&address.host, &args.table);
    screen.remark(&format!(
        "probe of account {account} at {host}: at most {most} API calls, usually 50 to 70, at the usual pace.\n\
         It creates, changes and deletes about 60 records in table {table}, which must be empty.",
    ));
    if args.allow_lockout {
        screen.remark(
            "It provokes a 429: for about a minute nobody can use the API key, and syncs wait.",
        );
    }
}

/// Whether the person at the terminal says yes.
fn agreed(screen: &Screen) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("nobody is there to agree to the probe", "add `--yes`"));
    }
    screen.remark("Go on? [y/N]");
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    Ok(read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Asks; nothing if a person ended it.
async fn ask(
    args: &ProbeArgs,
    settings: &Settings,
    address: &Address,
    rate: Rate,
    clock: Arc<dyn Clock>,
    screen: &Screen,
) -> Result<Option<ProbeProfile>, Failure> {
    let shown = *screen;
    let ending = Ending::listen(move |_| {
        shown.remark("ending: records of the probe remain, and the next probe deletes them");
    });
    let ending = ending.map_err(|error| {
        Failure::world(format!("signals cannot be listened to: {error}"), "see the system's log")
    })?;
    let gate = StateGate::open(
        (NAME, &args.table),
        &settings.local.state_path,
        &settings.smartsuite,
        address,
        rate,
        Arc::clone(&clock),
    )
    .await?;
    let transport =
        HttpTransport::new(&settings.smartsuite).map_err(|error| failure(&error.into()))?;
    let parts = ProbeParts {
        options: &settings.smartsuite,
        transport: Arc::new(transport),
        gate: Arc::new(gate),
        clock,
        table: args.table.clone(),
        allow_lockout: args.allow_lockout,
    };
    let progress = |words: &str| screen.remark(&screen.err.faint(&format!("  {words}")));
    tokio::select! {
        biased;
        () = ending.asked().cancelled() => Ok(None),
        asked = probe(&parts, &progress) => asked.map(Some).map_err(|error| failure(&error)),
    }
}

fn failure(error: &ProbeError) -> Failure {
    match error {
        ProbeError::Options(_) | ProbeError::Table { .. } => {
            Failure::usage(error.to_string(), error.remedy())
        }
        ProbeError::Call(call) if call.kind == sync_core::error::CallErrorKind::NotFound => {
            Failure::usage(error.to_string(), "check `--table`")
        }
        ProbeError::Call(_) | ProbeError::State(_) | ProbeError::TooManyCalls => {
            Failure::world(error.to_string(), error.remedy())
        }
    }
}

/// `<state>.probe-<account>.json`.
fn profile_path(settings: &Settings) -> PathBuf {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let account: String = settings.smartsuite.account_id.chars().map(plain).collect();
    let mut path = settings.local.state_path.clone().into_os_string();
    path.push(format!(".probe-{account}.json"));
    path.into()
}

fn read(path: &Path) -> Option<ProbeProfile> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Replaces the file as a whole, so that nobody reads half of it.
fn write(path: &Path, profile: &ProbeProfile) -> Result<(), Failure> {
    let mut whole = path.as_os_str().to_owned();
    whole.push(".new");
    let written = fs::File::create(&whole).and_then(|mut file| {
        file.write_all(format!("{}\n", json(profile)).as_bytes())?;
        file.sync_all()?;
        fs::rename(&whole, path)
    });
    written.map_err(|error| {
        Failure::world(
            format!("what was found cannot be kept as `{}`: {error}", path.display()),
            "the folder of the state file must be writable",
        )
    })
}

fn json(profile: &ProbeProfile) -> String {
    serde_json::to_string_pretty(profile).unwrap_or_default()
}

/// A line for each question: what is assumed, and what was found.
fn text(profile: &ProbeProfile, paint: Paint) -> String {
    let width = |part: fn(&Finding) -> &str, heading: &str| {
        let widths = profile.findings.iter().map(|finding| part(finding).chars().count());
        widths.max().unwrap_or(0).max(heading.len())
    };
    let question = width(|finding| &finding.question, "question");
    let assumed = width(|finding| &finding.assumed, "assumed");
    let mut lines =
        vec![paint.strong(&format!("{:question$}  {:assumed$}  found", "question", "assumed"))];
    for finding in &profile.findings {
        let found = match (&finding.found, &finding.unclear) {
            (Some(found), _) => found.clone(),
            (None, why) => paint.faint(&format!("- ({})", why.as_deref().unwrap_or("not seen"))),
        };
        let Finding { question: asked, assumed: word, .. } = finding;
        lines.push(format!("{asked:question$}  {word:assumed$}  {found}"));
    }
    lines.push(String::new());
    lines.push(paint.strong("not probed"));
    let width = profile.not_probed.iter().map(|one| one.what.chars().count()).max().unwrap_or(0);
    for one in &profile.not_probed {
        lines.push(format!("{:width$}  {}", one.what, one.why));
    }
    lines.push(String::new());
    lines.push(format!(
        "{} in {}. Nothing changes by this: syncs go on assuming what stands under `assumed`, for the \
         {PROFILE_DAYS} days that the findings are kept and afterwards.",
        counted(profile.calls, "API call"),
        profile.table,
    ));
    lines.join("\n")
}

fn day(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
