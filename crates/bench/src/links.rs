//! How a state comes to know every row without a first load: rows are read and mapped as the product does it, and written
//! as the text that `state import` takes.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow};
use serde_json::json;
use sync_core::{
    config::{self, model::SyncDefinition},
    mapping::{CompiledMapping, Notes},
    port::{ReadScope, RecordTarget as _, RowSource as _},
    secret::Secret,
};
use sync_mysql::{ConnectOptions, MysqlSource};
use sync_smartsuite::{ClientOptions, SmartSuiteClient};

use crate::{
    process::{Cost, measured},
    stage::{ACCOUNT, COLUMNS, Emulator, Mode, Stage, TABLE, TOKEN},
};

/// Rows taken at once.
const CHUNK: usize = 1_000;

/// The record that a row is linked to.
pub(crate) fn record_of(key: u64) -> String {
    format!("65000000{key:016x}")
}

/// What every row of the table is linked to, as text.
pub(crate) struct Links {
    text: PathBuf,
}

impl Links {
    /// Reads every row as the product does, in the order of the keys.
    pub(crate) fn of(stage: &Stage, emulator: &Emulator) -> Result<Self> {
        Self::of_mode(stage, emulator, Mode::Query)
    }

    /// Reads every row as the product does in this mode.
    pub(crate) fn of_mode(stage: &Stage, emulator: &Emulator, mode: Mode) -> Result<Self> {
        let text = stage.folder().join(format!("links-{}.jsonl", mode.word()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(write(stage, emulator, mode, &text))?;
        Ok(Self { text })
    }

    /// A new state in which every row is linked and unchanged, and what making it took.
    pub(crate) fn state(
        &self,
        stage: &Stage,
        emulator: &Emulator,
        mode: Mode,
    ) -> Result<(PathBuf, Cost)> {
        // Two cases may ask for one of the same mode.
        let names = (1..).map(|number| stage.folder().join(format!("{}-{number}.db", mode.word())));
        let state = names.into_iter().find(|path| !path.exists()).context("a name is free")?;
        let mut import = stage.product(mode, emulator, &state)?;
        let cost =
            measured(import.args(["state", "import", "--nothing-ran-since"]).arg(&self.text))?;
        Ok((state, cost))
    }
}

async fn write(stage: &Stage, emulator: &Emulator, mode: Mode, path: &Path) -> Result<()> {
    let definition = definition(stage, mode)?;
    let source = MysqlSource::new(
        connect_options(stage),
        &definition.source,
        COLUMNS.split(", ").map(str::to_owned),
    )
    .map_err(|error| anyhow!("{error}"))?;
    let mut options = ClientOptions::new(ACCOUNT, Secret::new(TOKEN));
    options.base_url = emulator.url();
    let client = SmartSuiteClient::new(&options)?;
    let structure = client.structure(TABLE).await.map_err(|error| anyhow!("{error}"))?;
    let mut read = source.open(ReadScope::Full).await.map_err(|error| anyhow!("{error}"))?;
    let (mapping, findings) = CompiledMapping::compile(
        &definition.destination,
        &definition.source,
        read.columns(),
        &structure,
    );
    let mapping = mapping.with_context(|| format!("the mapping fits: {findings:?}"))?;
    let mut out = BufWriter::new(File::create(path)?);
    let head = json!({"state": {"format": "mysql-smartsuite-sync state", "version": 1, "at": 0, "calls": 0, "created_at": 0}});
    writeln!(out, "{head}")?;
    let sync = json!({"sync": {
        "name": "people", "host": "127.0.0.1", "account": ACCOUNT, "table": TABLE, "current": true,
        "external_id_field": "skey000001", "mark": 0, "settled": true,
    }});
    writeln!(out, "{sync}")?;
    let mut links = 0_u64;
    let mut notes = Notes::default();
    loop {
        let rows = read.next_rows(CHUNK).await.map_err(|error| anyhow!("{error}"))?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let draft =
                mapping.draft_noting(row, &mut notes).map_err(|fault| anyhow!("{fault}"))?;
            links += 1;
            let key: u64 = draft.key.external_id("").parse().context("keys are numbers")?;
            // Its debug form is its hex digits.
            let print = draft.fields.fingerprint();
            let (record, at) = (record_of(key), 1_700_000_000);
            writeln!(
                out,
                r#"{{"link":{{"key":{key},"record":"{record}","fingerprint":"{print:?}","created_at":{at}}}}}"#
            )?;
        }
    }
    writeln!(out, "{}", json!({"end": {"links": links}}))?;
    out.flush()?;
    Ok(())
}

fn definition(stage: &Stage, mode: Mode) -> Result<SyncDefinition> {
    let text = fs::read_to_string(stage.mapping(mode)?)?;
    let parsed = config::parse(&text, &|_: &str| None);
    let config = parsed.config.with_context(|| format!("{:?}", parsed.diagnostics))?;
    config.sync("people").cloned().context("the mapping has the sync")
}

fn connect_options(stage: &Stage) -> ConnectOptions {
    let mut options = ConnectOptions::new(
        "127.0.0.1",
        &stage.user.name,
        Secret::new(&stage.user.password),
        stage.database.name(),
    );
    options.port = stage.database.port();
    options
}
