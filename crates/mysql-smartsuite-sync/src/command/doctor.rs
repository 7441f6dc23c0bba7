//! `doctor`: can everything be reached, with which rights, and what stands in the way. Every check says what it found
//! and what to do about it.

use std::{path::Path, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use sync_core::{
    config::model::Config,
    error::SourceError,
    port::Clock,
    state::{CallKind, StateError},
};
use sync_mysql::{ConnectOptions, Diagnosis, SslMode, diagnose};
use sync_smartsuite::{ClientOptions, SmartSuiteClient};
use sync_store::{Found, StateReader, free_bytes, inspect};

use crate::{
    cli::{Global, JsonArgs},
    clock::SystemClock,
    command,
    environment::{Environment, Settings, SettingsError},
    exit::Exit,
    failure::Failure,
    mapping_file::MappingFile,
    report::{
        Screen, counted,
        doctor::{Check, Health, json, text},
    },
    state_gate::StateGate,
    wire,
};

/// Under this name the doctor's one call is counted.
const NAME: &str = "(doctor)";
/// A clock that differs by more than this will puzzle people who compare times.
const CLOCK_DIFFERENCE_MAX: SignedDuration = SignedDuration::from_secs(2);
/// Less free space than this is soon used up: the write-ahead log alone may take as much for a while.
const FREE_BYTES_MIN: u64 = 200_000_000;

/// Looks at everything and says what it found.
pub(crate) fn perform(global: &Global, args: &JsonArgs, screen: &Screen) -> Result<Exit, Failure> {
    let environment = command::environment()?;
    let flags = command::flags(global);
    let settings = environment.settings(&flags);
    let file = MappingFile::read(&global.config, &environment);
    let mut checks = vec![Check::fine("program", concat!("version ", env!("CARGO_PKG_VERSION")))];
    checks.extend(of_settings(settings.as_ref().err()));
    checks.push(of_file(&file));
    let config = file.ok().and_then(|file| file.config);
    if let Ok(local) = environment.local_settings(&flags) {
        checks.extend(of_state(&local.state_path));
    }
    match &settings {
        Ok(settings) => {
            let asked = command::runtime()?.block_on(async {
                let mysql = of_mysql(&settings.mysql).await;
                let smartsuite = of_smartsuite(settings, config.as_ref(), &environment).await;
                [mysql, smartsuite].concat()
            });
            checks.extend(asked);
        }
        Err(_) => {
            let why = "not asked: settings are missing";
            checks.push(Check::unknown("MySQL", why));
            checks.push(Check::unknown("SmartSuite", why));
        }
    }
    let exit = if checks.iter().any(|check| check.health == Health::Ill) {
        Exit::Failed
    } else {
        Exit::Done
    };
    screen.say(&if args.json { json(&checks, exit) } else { text(&checks, screen.out) });
    Ok(exit)
}

fn of_settings(error: Option<&SettingsError>) -> Vec<Check> {
    match error {
        None => vec![Check::fine("settings", "complete")],
        Some(error) => vec![Check::ill("settings", error.to_string(), SettingsError::HINT)],
    }
}

fn of_file(file: &Result<MappingFile, Failure>) -> Check {
    match file {
        Ok(MappingFile { path, config: Some(config), .. }) => {
            let syncs = u64::try_from(config.syncs.len()).unwrap_or(u64::MAX);
            Check::fine("mapping file", format!("`{path}`: {}", counted(syncs, "sync")))
        }
        Ok(MappingFile { path, diagnostics, .. }) => {
            let problems = u64::try_from(diagnostics.len()).unwrap_or(u64::MAX);
            let words = format!("`{path}` has {}", counted(problems, "problem"));
            Check::ill("mapping file", words, "`validate` shows each with its place")
        }
        Err(failure) => Check::ill("mapping file", &*failure.message, &*failure.hint),
    }
}

fn of_state(path: &Path) -> Vec<Check> {
    let shown = path.display();
    let mut checks = Vec::new();
    match inspect(path) {
        Ok(inspection) => checks.push(match inspection.found {
            Found::Current => Check::fine("state", format!("`{shown}` can be read and written")),
            Found::Older => Check::fine(
                "state",
                format!("`{shown}` is of an older version; the next run copies it and brings it up to date"),
            ),
            Found::Nothing => {
                Check::fine("state", format!("`{shown}` is not there yet; the first run makes it"))
            }
        }),
        Err(error) => {
            checks.push(Check::ill("state", format!("{error} [{}]", error.code()), error.remedy()));
        }
    }
    checks.extend(of_holders(path));
    match free_bytes(path) {
        Some(free) if free < FREE_BYTES_MIN => checks.push(Check::ill(
            "disk",
            format!("{} MB are free beside the state", free / 1_000_000),
            "free some space: a state that cannot be written stops every sync",
        )),
        Some(free) => {
            checks.push(Check::fine("disk", format!("{} MB are free", free / 1_000_000)));
        }
        None => checks.push(Check::unknown("disk", "the system does not say how much is free")),
    }
    checks
}

/// Who holds the locks of which syncs.
fn of_holders(path: &Path) -> Vec<Check> {
    let read = || -> Result<Vec<Check>, StateError> {
        let reader = StateReader::open(path)?;
        let now = SystemClock::new().now();
        let mut checks: Vec<Check> = reader
            .syncs()?
            .into_iter()
            .filter_map(|sync| {
                let holder = sync.holder?;
                let (name, age) = (&sync.name, holder.age(now).as_secs());
                Some(if holder.is_seen {
                    Check::fine("lock", format!("`{name}` is run by {} now", holder.name))
                } else {
                    Check::worse(
                        "lock",
                        format!(
                            "`{name}` was run by {}, which is not seen from here; last sign of life {age} s ago",
                            holder.name
                        ),
                        "if that process is gone, the next run takes over by itself; in another container, leave it",
                    )
                })
            })
            .collect();
        if checks.is_empty() {
            checks.push(Check::fine("lock", "no sync is being run"));
        }
        if let Some(until) = reader.gate_closed_until(now)? {
            checks.push(Check::worse(
                "gate",
                format!("every call waits until {until}, after a 429"),
                "wait; if it comes back, look whether others use the same API key",
            ));
        }
        Ok(checks)
    };
    read().unwrap_or_default()
}

async fn of_mysql(options: &ConnectOptions) -> Vec<Check> {
    let clock = SystemClock::new();
    let before = clock.now();
    let found = diagnose(options).await;
    let after = clock.now();
    match found {
        Ok(found) => [
            vec![Check::fine("MySQL", format!("{} answers", found.server.text))],
            vec![encryption(&found, options)],
            rights(&found, &options.database),
            vec![clocks(&found, before, after)],
            log(&found),
        ]
        .concat(),
        Err(SourceError { kind, message, remedy, .. }) => {
            vec![Check::ill("MySQL", format!("{message} [{}]", kind.code()), remedy)]
        }
    }
}

fn encryption(found: &Diagnosis, options: &ConnectOptions) -> Check {
    let verified = options.ssl_mode == Some(SslMode::VerifyIdentity);
    match (&found.cipher, verified) {
        (Some(cipher), true) => {
            Check::fine("encryption", format!("{cipher}, and the server's name is checked"))
        }
        (Some(cipher), false) => Check::fine("encryption", cipher.clone()),
        (None, _) => Check::worse(
            "encryption",
            "the connection is not encrypted",
            "set MYSQL_SSL_MODE=required (or verify_identity) unless the network is your own",
        ),
    }
}

fn rights(found: &Diagnosis, database: &str) -> Vec<Check> {
    let rights = &found.rights;
    let mut checks = Vec::new();
    if rights.within(database, "SELECT") {
        checks.push(Check::fine("right SELECT", format!("in database `{database}`")));
    } else if rights.has_roles {
        checks.push(Check::unknown(
            "right SELECT",
            "it may come with a role; `validate --online` tries it",
        ));
    } else {
        checks.push(Check::ill(
            "right SELECT",
            format!("the account may read nothing in database `{database}`"),
            format!("GRANT SELECT ON `{database}`.* TO the account"),
        ));
    }
    if rights.everywhere("PROCESS") {
        checks.push(Check::fine("right PROCESS", "positions are exact"));
    } else {
        checks.push(Check::worse(
            "right PROCESS",
            "missing: open transactions cannot be seen, so a fixed overlap is read again each time",
            "GRANT PROCESS ON *.* TO the account",
        ));
    }
    let replica = ["REPLICATION CLIENT", "BINLOG MONITOR", "SUPER"]
        .iter()
        .any(|right| rights.everywhere(right))
        && ["REPLICATION SLAVE", "REPLICATION REPLICA", "SUPER"]
            .iter()
            .any(|right| rights.everywhere(right));
    checks.push(if replica {
        Check::fine("right REPLICATION", "the binary log can be read")
    } else {
        Check::fine("right REPLICATION", "missing; only reading the binary log needs it")
    });
    let needless = rights.needless(database);
    if !needless.is_empty() {
        checks.push(Check::worse(
            "more rights",
            format!("the account may also {}: a sync only reads", needless.join(", ")),
            "use an account of its own with SELECT (and PROCESS) alone",
        ));
    }
    checks
}

fn clocks(found: &Diagnosis, before: Timestamp, after: Timestamp) -> Check {
    let Some(now) = found.now else {
        return Check::unknown("clock", "the server's time could not be understood");
    };
    // The server looked at its clock somewhere between.
    let difference = if now < before {
        before.duration_since(now)
    } else if now > after {
        now.duration_since(after)
    } else {
        SignedDuration::ZERO
    };
    let words =
        format!("the server's differs from this machine's by {:.1} s", difference.as_secs_f64());
    if difference <= CLOCK_DIFFERENCE_MAX {
        Check::fine("clock", words)
    } else {
        Check::worse(
            "clock",
            words,
            "positions go by the server's clock and stay right; set both by NTP so that logs can be compared",
        )
    }
}

/// The binary log, as far as capturing from it needs it.
fn log(found: &Diagnosis) -> Vec<Check> {
    let setting = |name: &str| found.settings.get(name).map_or("", String::as_str);
    if !matches!(setting("log_bin"), "ON" | "1") {
        return vec![Check::fine("binary log", "off; only `capture: binlog` needs it")];
    }
    let (format, image) = (setting("binlog_format"), setting("binlog_row_image"));
    // Newest servers have no format to set: it is always ROW.
    if matches!(format, "ROW" | "") && matches!(image, "FULL" | "") {
        return vec![Check::fine("binary log", "on, with whole rows")];
    }
    vec![Check::worse(
        "binary log",
        format!("on, with format {format} and row image {image}"),
        "capturing from it needs binlog_format=ROW and binlog_row_image=FULL",
    )]
}

async fn of_smartsuite(
    settings: &Settings,
    config: Option<&Config>,
    environment: &Environment,
) -> Vec<Check> {
    match ask(settings, config, environment).await {
        Ok(checks) => checks,
        Err(failure) => vec![Check::ill("SmartSuite", failure.message, failure.hint)],
    }
}

async fn ask(
    settings: &Settings,
    config: Option<&Config>,
    environment: &Environment,
) -> Result<Vec<Check>, Failure> {
    let options: &ClientOptions = &settings.smartsuite;
    let refused = |error: sync_smartsuite::OptionsError| {
        Failure::usage(error.to_string(), "check the SMARTSUITE settings")
    };
    let address = options.address().map_err(refused)?;
    let client = SmartSuiteClient::new(options).map_err(refused)?;
    let rate = wire::rate_of(config, environment, &address)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let gate = StateGate::open(
        (NAME, ""),
        &settings.local.state_path,
        options,
        &address,
        rate,
        Arc::clone(&clock),
    )
    .await?;
    let began = clock.elapsed();
    let answer = gate.call(CallKind::Structure, client.solutions()).await?;
    let took = clock.elapsed().saturating_sub(began).as_millis();
    Ok(match answer {
        Ok(solutions) => {
            let seen = u64::try_from(solutions.len()).unwrap_or(u64::MAX);
            let mut checks = vec![Check::fine(
                "SmartSuite",
                format!(
                    "{} answers in {took} ms; the key of account {} sees {}",
                    address.host,
                    options.account_id,
                    counted(seen, "solution")
                ),
            )];
            if seen == 0 {
                checks.push(Check::ill(
                    "access",
                    "the key's member sees no solution",
                    "give the member access to the solutions that are to be written",
                ));
            }
            checks
        }
        Err(error) => vec![Check::ill(
            "SmartSuite",
            format!("{} [{}]", error.kind, error.kind.code()),
            error.kind.remedy(),
        )],
    })
}
