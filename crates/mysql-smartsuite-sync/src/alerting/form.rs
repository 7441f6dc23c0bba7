//! A message in the form that each way takes.

use serde_json::{Value, json};
use sync_core::alert::{Message, Turn};

/// What is said first everywhere, so that people see where it comes from.
pub(super) const SENDER: &str = "SmartSuite sync";

/// For a Slack incoming webhook.
pub(super) fn slack(message: &Message) -> Value {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    json!({ "text": format!("*{}*: {}\n{}", SENDER, escaped(&message.title()), escaped(&message.text())) })
}

/// For a workflow of Teams: an adaptive card.
pub(super) fn teams(message: &Message) -> Value {
    let mut body = vec![json!({
        "type": "TextBlock",
        "text": format!("{SENDER}: {}", message.title()),
        "weight": "Bolder",
        "wrap": true,
    })];
    for change in &message.changes {
        let color = if change.turn == Turn::Ended { "Good" } else { "Attention" };
        body.push(
            json!({ "type": "TextBlock", "text": change.line(), "color": color, "wrap": true }),
        );
        if change.turn != Turn::Ended {
            let hint = format!("hint: {}", change.hint);
            body.push(json!({ "type": "TextBlock", "text": hint, "isSubtle": true, "wrap": true }));
        }
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
            },
        }],
    })
}

/// For any other address.
pub(super) fn plain(message: &Message) -> Value {
    json!({
        "sender": "mysql-smartsuite-sync",
        "at": message.at,
        "title": message.title(),
        "text": message.text(),
        "changes": message.changes,
    })
}

#[cfg(test)]
mod tests {
    use sync_core::alert::{AlertKind, Change};

    use super::*;

    #[test]
    fn nothing_in_a_message_becomes_markup_for_slack() {
        let change = Change {
            turn: Turn::Began,
            kind: AlertKind::Failed,
            subject: "a <!channel> & b".to_owned(),
            text: "failed".to_owned(),
            hint: "look".to_owned(),
            since: jiff::Timestamp::UNIX_EPOCH,
        };
        let message = Message { at: jiff::Timestamp::UNIX_EPOCH, changes: vec![change] };
        assert_eq!(
            slack(&message)["text"],
            "*SmartSuite sync*: a &lt;!channel&gt; &amp; b: failed\na &lt;!channel&gt; &amp; b: failed\n  hint: look"
        );
        assert_eq!(plain(&message)["changes"][0]["kind"], "failed");
        assert_eq!(teams(&message)["attachments"][0]["content"]["body"][1]["color"], "Attention");
    }
}
