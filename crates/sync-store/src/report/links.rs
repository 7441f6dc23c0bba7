//! Links that wait for the row they lead to, and what becomes of the links of one row.

use rusqlite::params;
use sync_core::{draft::LinkWish, key::Key, record::RecordId, slug::Slug, state::StateError};

use super::StateReader;
use crate::column::{KeyColumn, KeyParameter, RecordColumn, count};

/// Keys shown as a sample.
const SAMPLE: i64 = 5;

/// What one link field lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LackingLinks {
    /// The field.
    pub slug: Slug,
    /// The sync whose records are linked to.
    pub parent: String,
    /// Links that are lacking.
    pub links: u64,
    /// Some keys of the other sync that have no record, or whose record SmartSuite did not take as a link.
    pub keys: Vec<Key>,
}

/// What becomes of one link of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkDecision {
    /// The field.
    pub slug: Slug,
    /// The sync whose records are linked to; `None`: no run has registered the field yet.
    pub parent: Option<String>,
    /// The key of the row that is pointed to.
    pub key: Key,
    /// Its record; `None`: it has none, and the row goes without this link until it has.
    pub record: Option<RecordId>,
    /// SmartSuite did not take this link: it is left out until the other row was written.
    pub withheld: bool,
}

/// Of a field's wishes those without a record, `f` being the field.
const LACKING: &str = "
    FROM link_wishes AS w JOIN link_fields AS f ON f.id = w.field_id JOIN syncs AS p ON p.id = f.parent_id
    WHERE f.id = ?1 AND (w.withheld OR NOT EXISTS (SELECT 1 FROM links AS l WHERE l.sync_id = p.id
      AND l.destination_id = p.destination_id AND l.key = w.parent_key AND l.standing IN (0, 1)))";

impl StateReader {
    /// The link fields of a sync in which links are lacking. Looks at every link of the sync.
    pub fn lacking_links(&self, name: &str) -> Result<Vec<LackingLinks>, StateError> {
        let fields: Vec<(i64, String, String)> = self.all(
            "SELECT f.id, f.slug, p.name FROM link_fields AS f JOIN syncs AS s ON s.id = f.sync_id
               JOIN syncs AS p ON p.id = f.parent_id WHERE s.name = ? ORDER BY f.slug",
            [name],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let mut lacking = Vec::new();
        for (field, slug, parent) in fields {
            let counted =
                self.first(&format!("SELECT count(*) {LACKING}"), [field], |row| count(row, 0))?;
            let links = counted.unwrap_or(0);
            if links == 0 {
                continue;
            }
            let keys = self.all(
                &format!(
                    "SELECT DISTINCT w.parent_key {LACKING} ORDER BY w.parent_key LIMIT {SAMPLE}"
                ),
                [field],
                |row| Ok(row.get::<_, KeyColumn>(0)?.0),
            )?;
            lacking.push(LackingLinks { slug: Slug::from(slug), parent, links, keys });
        }
        Ok(lacking)
    }

    /// What becomes of the links that the row with this key wishes for.
    pub fn link_decisions(
        &self,
        name: &str,
        key: &Key,
        wishes: &[LinkWish],
    ) -> Result<Vec<LinkDecision>, StateError> {
        let mut decisions = Vec::new();
        for wish in wishes {
            let field: Option<(i64, String)> = self.first(
                "SELECT f.id, p.name FROM link_fields AS f JOIN syncs AS s ON s.id = f.sync_id
                   JOIN syncs AS p ON p.id = f.parent_id WHERE s.name = ? AND f.slug = ?",
                params![name, wish.slug.as_str()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            for parent in &wish.parents {
                let decision = LinkDecision {
                    slug: wish.slug.clone(),
                    parent: field.as_ref().map(|(_, parent)| parent.clone()),
                    key: parent.clone(),
                    record: None,
                    withheld: false,
                };
                let Some((field, _)) = &field else {
                    decisions.push(decision);
                    continue;
                };
                let record = self.first(
                    "SELECT l.record_id FROM link_fields AS f JOIN syncs AS own ON own.id = f.sync_id
                       JOIN destinations AS od ON od.id = own.destination_id
                       JOIN syncs AS p ON p.id = f.parent_id
                       JOIN destinations AS d ON d.id = p.destination_id AND d.table_id = f.table_id
                         AND d.host = od.host AND d.account = od.account
                       JOIN links AS l ON l.sync_id = p.id AND l.destination_id = p.destination_id
                     WHERE f.id = ? AND l.key = ? AND l.standing IN (0, 1)",
                    params![field, KeyParameter(parent)],
                    |row| Ok(row.get::<_, RecordColumn>(0)?.0),
                )?;
                let withheld = self.first(
                    "SELECT withheld FROM link_wishes WHERE field_id = ? AND key = ? AND parent_key = ?",
                    params![field, KeyParameter(key), KeyParameter(parent)],
                    |row| row.get(0),
                )?;
                decisions.push(LinkDecision {
                    record,
                    withheld: withheld.unwrap_or(false),
                    ..decision
                });
            }
        }
        Ok(decisions)
    }
}
