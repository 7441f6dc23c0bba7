//! `docs/reference/http.md`: the operations as a table that people read.

use super::{Answers, OPERATIONS, Where, operation::Guard};

/// The page.
pub(super) fn page() -> String {
    let mut page = "# HTTP\n\nMade from the program: `UPDATE_GENERATED=1 cargo nextest run -p sync-server generated`. Bodies and \
        answers are described in [openapi.json](openapi.json). What is not done is answered as\n`{\"error\": {\"code\", \
        \"message\", \"hint\"}}` with the status that stands beside it.\n"
        .to_owned();
    for operation in OPERATIONS {
        page += &format!(
            "\n## `{} {}`\n\n{}\n\n",
            operation.method.to_uppercase(),
            operation.path,
            operation.summary
        );
        let who = match operation.guard {
            Guard::Nobody => "everybody",
            Guard::Viewer => "viewers and operators",
            Guard::Operator => "operators",
            Guard::Webhook => "the webhook's token or signature, and operators",
        };
        let answers = match operation.answers {
            Answers::Json(_) => "JSON",
            Answers::Events(_) => "server-sent events",
            Answers::Text => "text",
        };
        page += &format!("For: {who}. Answers: {} with {answers}", operation.status);
        let problems: Vec<String> = operation
            .problems()
            .iter()
            .map(|(status, words)| format!("{status} {words}"))
            .collect();
        page += if problems.is_empty() { ".\n" } else { "; " };
        page += problems.join(" ").trim_end_matches('.');
        page += if problems.is_empty() { "" } else { ".\n" };
        if !operation.parameters.is_empty() {
            page += "\n| parameter | in | type | meaning |\n|---|---|---|---|\n";
        }
        for parameter in operation.parameters {
            let place = match parameter.place {
                Where::Path => "path",
                Where::Query if parameter.required => "query, needed",
                Where::Query => "query",
            };
            page += &format!(
                "| `{}` | {place} | {} | {} |\n",
                parameter.name, parameter.kind, parameter.words
            );
        }
    }
    page
}
