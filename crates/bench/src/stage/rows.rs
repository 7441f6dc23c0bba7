//! The rows: nine columns of the usual types, about 200 bytes, made by the server itself.

use serde_json::{Value, json};

/// The columns that are read, in the order of the mapping.
pub(crate) const COLUMNS: &str = "id, name, email, status, credit, born, seen_at, updated_at, note";

/// Statements that make the table and fill it.
pub(super) fn fill(rows: u64) -> String {
    format!(
        "CREATE TABLE people (
           id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(60) NOT NULL, email VARCHAR(80) NOT NULL,
           status ENUM('active','inactive','pending') NOT NULL, credit DECIMAL(12,2) NOT NULL, born DATE NOT NULL,
           seen_at DATETIME NOT NULL, updated_at TIMESTAMP(6) NOT NULL, note VARCHAR(200) NULL,
           KEY changed (updated_at, id));
         INSERT INTO people
           SELECT seq, CONCAT('Person number ', seq), CONCAT('person.', seq, '@example.com'),
             ELT(1 + seq % 3, 'active', 'inactive', 'pending'), (seq % 1000000) / 7,
             '1950-01-01' + INTERVAL seq % 20000 DAY, '2020-01-01' + INTERVAL seq % 90000000 SECOND,
             '2021-01-01' + INTERVAL seq SECOND,
             IF(seq % 5 = 0, NULL, CONCAT('Note ', seq, ': ', REPEAT('lorem ipsum ', 5)))
           FROM seq_1_to_{rows};
         ANALYZE TABLE people;"
    )
}

/// The fields of SmartSuite's table, as an emulator's seed has them.
pub(super) fn fields() -> Value {
    let field = |slug: &str, label: &str, kind: &str, params: Value| json!({"slug": slug, "label": label, "field_type": kind, "params": params});
    let choices = json!([
        {"value": "aCt1V", "label": "active"}, {"value": "iNa0T", "label": "inactive"},
        {"value": "pEn0G", "label": "pending"},
    ]);
    json!([
        field("skey000001", "Key", "textfield", json!({})),
        field("semail0001", "E-mail", "textfield", json!({})),
        field("sstatus001", "Status", "singleselectfield", json!({"choices": choices})),
        field("scredit001", "Credit", "numberfield", json!({"precision": 2})),
        field("sborn00001", "Born", "datefield", json!({"include_time": false})),
        field("sseen00001", "Seen", "datefield", json!({"include_time": true})),
        field("schanged01", "Changed", "datefield", json!({"include_time": true})),
        field("snote00001", "Note", "textareafield", json!({})),
    ])
}
