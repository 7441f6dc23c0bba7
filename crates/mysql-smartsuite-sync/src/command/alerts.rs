//! `alerts test`: sends a message by each way, now, and says how that went.

use std::sync::Arc;

use serde_json::json;
use sync_core::{
    alert::{AlertKind, Change, Message, Turn},
    port::Clock,
};

use crate::{
    alerting::Sender,
    cli::{AlertsAction, AlertsArgs, Global},
    clock::SystemClock,
    command,
    exit::Exit,
    failure::Failure,
    report::Screen,
};

/// Does what was asked.
pub(crate) fn perform(
    global: &Global,
    args: &AlertsArgs,
    screen: &Screen,
) -> Result<Exit, Failure> {
    let AlertsAction::Test { json: as_json } = args.action;
    let environment = command::environment()?;
    let settings = environment.local_settings(&command::flags(global));
    let (_, config, _) = command::everything(global, &environment, settings, screen)?;
    let Some(definition) = config.alerts else {
        return Err(Failure::usage(
            "the mapping file says nothing of alerts",
            "add a section `alerts`; the guide on monitoring shows one",
        ));
    };
    let has_heartbeat = definition.heartbeat.is_some();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let now = clock.now();
    let sender = Sender::new(definition, clock);
    let message = Message {
        at: now,
        changes: vec![Change {
            turn: Turn::Began,
            kind: AlertKind::Failed,
            subject: String::new(),
            text: "this is a test: alerts arrive".to_owned(),
            hint: "nothing is to be done".to_owned(),
            since: now,
        }],
    };
    let outcomes = command::runtime()?.block_on(async {
        let mut outcomes = Vec::new();
        for channel in sender.channels() {
            outcomes.push((channel, sender.send(channel, &message).await));
        }
        if has_heartbeat {
            outcomes.push(("heartbeat", sender.beat().await));
        }
        outcomes
    });
    if as_json {
        let ways: Vec<_> = outcomes
            .iter()
            .map(|(channel, sent)| json!({ "channel": channel, "error": sent.as_ref().err() }))
            .collect();
        screen.say(&format!("{:#}", json!({ "channels": ways })));
    } else {
        for (channel, sent) in &outcomes {
            let words = match sent {
                Ok(()) => screen.out.good("sent"),
                Err(why) => format!("{}: {why}", screen.out.bad("not sent")),
            };
            screen.say(&format!("{channel:9}  {words}"));
        }
    }
    let all = outcomes.iter().all(|(_, sent)| sent.is_ok());
    Ok(if all { Exit::Done } else { Exit::Failed })
}
