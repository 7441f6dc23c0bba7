//! A field's choices, ready to be looked up a million times.

use std::collections::BTreeMap;

use crate::{
    config::model::OnUnknown,
    mapping::{
        fault::{FaultCode, Refusal},
        suggestion,
    },
    table::Choice,
};

/// From source texts to the ids of choices.
#[derive(Debug)]
pub(in crate::mapping) struct ChoiceTable {
    /// `value_map`, resolved; `None` where the target is no choice.
    mapped: BTreeMap<String, Result<String, (FaultCode, String)>>,
    /// Labels and ids as they are.
    exact: BTreeMap<String, Hit>,
    /// Labels and ids trimmed and in lower case.
    folded: BTreeMap<String, Hit>,
    /// For messages.
    labels: String,
    /// What becomes of a text that is no choice.
    on_unknown: OnUnknown,
}

/// The longest label of a choice that is added, in characters: what is longer is no label.
const LABEL_LENGTH_MAX: usize = 100;

/// What a text is to the field.
pub(super) enum Resolved<'t> {
    /// A choice, by its id.
    Choice(&'t str),
    /// Nothing.
    Blank,
    /// A choice to be added, by its label.
    Wanted(String),
}

/// What a text stands for.
#[derive(Clone, Debug, PartialEq)]
enum Hit {
    One(String),
    Several,
}

impl ChoiceTable {
    /// Compiles a field's choices and the sync's `value_map`. Also returns the map's targets that are no choice.
    pub(in crate::mapping) fn new(
        choices: &[Choice],
        value_map: impl IntoIterator<Item = (String, String)>,
        on_unknown: OnUnknown,
    ) -> (Self, Vec<String>) {
        let labels = choices.iter().map(|choice| (choice.label.clone(), &choice.id));
        let ids = choices.iter().map(|choice| (choice.id.clone(), &choice.id));
        let fold = |(text, id): (String, _)| (folded(&text), id);
        // A label beats an id that reads the same: labels are what people write.
        let mut exact = hits(labels.clone());
        for (text, hit) in hits(ids.clone()) {
            exact.entry(text).or_insert(hit);
        }
        let mut table = Self {
            mapped: BTreeMap::new(),
            exact,
            folded: hits(labels.map(fold).chain(ids.map(fold))),
            labels: suggestion::listed(
                choices.iter().map(|choice| format!("\"{}\"", choice.label)),
            ),
            on_unknown,
        };
        let mut unknown = Vec::new();
        for (source, target) in value_map {
            let id = table.find(&target).map(str::to_owned).map_err(|code| (code, target.clone()));
            if id.is_err() {
                unknown.push(target);
            }
            table.mapped.insert(source, id);
        }
        (table, unknown)
    }

    /// The choice a text stands for: by `value_map`, else by exact label, exact id, or either of them in any case
    /// if that is unambiguous; outer white space does not matter. Blank text that the map does not name is nothing.
    pub(super) fn resolve(&self, text: &str) -> Result<Resolved<'_>, Refusal> {
        let (found, label) = match self.mapped.get(text) {
            Some(Ok(id)) => (Ok(id.as_str()), text),
            Some(Err((code, target))) => (Err(*code), target.as_str()),
            None if text.trim().is_empty() => return Ok(Resolved::Blank),
            None => (self.find(text), text.trim()),
        };
        let code = match found {
            Ok(id) => return Ok(Resolved::Choice(id)),
            Err(code) => code,
        };
        let refusal = || {
            Refusal::new(code)
                .because(format!("{}; its choices: {}", code.meaning(), self.labels))
                .about(text)
        };
        match self.on_unknown {
            _ if code != FaultCode::ChoiceUnknown => Err(refusal()),
            OnUnknown::Quarantine => Err(refusal()),
            OnUnknown::Error => Err(refusal().ending_the_run()),
            OnUnknown::Blank => Ok(Resolved::Blank),
            OnUnknown::Create => {
                let is_label = label.chars().count() <= LABEL_LENGTH_MAX
                    && !label.is_empty()
                    && !label.chars().any(char::is_control);
                if is_label { Ok(Resolved::Wanted(label.to_owned())) } else { Err(refusal()) }
            }
        }
    }

    /// Whether the text as a whole is a source text of the map, a label or an id.
    pub(super) fn names(&self, text: &str) -> bool {
        self.mapped.contains_key(text) || self.folded.contains_key(&folded(text))
    }

    /// The labels, for messages.
    pub(in crate::mapping) fn labels(&self) -> &str {
        &self.labels
    }

    fn find(&self, text: &str) -> Result<&str, FaultCode> {
        let exact = self.exact.get(text).or_else(|| self.exact.get(text.trim()));
        match exact.or_else(|| self.folded.get(&folded(text))) {
            Some(Hit::One(id)) => Ok(id),
            Some(Hit::Several) => Err(FaultCode::ChoiceAmbiguous),
            None => Err(FaultCode::ChoiceUnknown),
        }
    }
}

/// Each text with the one id it stands for, or the news that there are several.
fn hits<'a>(pairs: impl Iterator<Item = (String, &'a String)>) -> BTreeMap<String, Hit> {
    let mut hits: BTreeMap<String, Hit> = BTreeMap::new();
    for (text, id) in pairs {
        let hit = Hit::One(id.clone());
        hits.entry(text)
            .and_modify(|seen| {
                if *seen != hit {
                    *seen = Hit::Several;
                }
            })
            .or_insert(hit);
    }
    hits
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}
