//! Files: fetched by their address, uploaded in parts, and their own address (section 3.12; point
//! 42). The emulator keeps names and sizes, never the content, and fetches nothing.

use serde_json::json;

use crate::model::cell::Cell;
use crate::model::field_type::FieldType;
use crate::model::world::World;
use crate::object_id::ObjectId;
use crate::query::decoded;
use crate::reply::{Answer, Reply, bad, not_found};
use crate::rules::call::Call;
use crate::rules::draft::Draft;
use crate::rules::webhooks::event::Batch;
use crate::rules::{effect, single};
use crate::validate::file_object;

/// `POST /recordfiles/{t}/{r}/{slug}/` with the parts `files` and `filename`.
pub(crate) fn upload(
    world: &mut World,
    call: &Call<'_>,
    (table, record, slug): (&str, &str, &str),
) -> Answer {
    let id = call.table_to_change(world, table)?;
    let table = world.tables.get(&id).ok_or_else(not_found)?;
    let rank = single::live_rank(table, record)?;
    let field = table.field(slug, call.now).filter(|field| field.kind == FieldType::File);
    let column = field.and_then(|field| field.column).ok_or_else(not_found)?;
    let parts = parts(call.content_type, call.body);
    let uploads: Vec<&Part<'_>> = parts.iter().filter(|part| part.name == "files").collect();
    if uploads.is_empty() {
        return Err(bad("files", "No file was submitted."));
    }
    let given = parts.iter().find(|part| part.name == "filename");
    let given = given.map(|part| String::from_utf8_lossy(part.content).into_owned());
    let held = table.at(rank).map(|record| record.cell(column).clone());
    let mut files = match held {
        Some(Cell::Json(files)) => files.as_array().cloned().unwrap_or_default(),
        _ => Vec::new(),
    };
    for upload in uploads {
        let named = given.clone().filter(|name| !name.is_empty());
        let name = named.unwrap_or_else(|| upload.filename.clone());
        let handle = world.dice.alphanumeric(20);
        files.push(file_object(&handle, &name, upload.content.len(), call.now));
        world.files.insert(handle, name);
    }
    let cell = Cell::Json(Box::new(files.into()));
    let batch = Batch::new(world, 1);
    let draft = Draft { cells: vec![(column, cell)], attachments: Vec::new() };
    effect::update(world, call, id, rank, draft, &batch);
    single::written(world, call, id, rank)
}

/// Puts a file that was given by its address into its record.
pub(crate) fn attach(
    world: &mut World,
    call: &Call<'_>,
    table: ObjectId,
    record: ObjectId,
    slug: &str,
    address: &str,
) {
    let found = world.tables.get(&table).and_then(|table| {
        let column = table.field(slug, call.now)?.column?;
        let record_now = table.live(record)?;
        Some((column, table.rank_of(record)?, record_now.cell(column).clone()))
    });
    let Some((column, rank, held)) = found else { return };
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let name = decoded(path.rsplit('/').next().unwrap_or_default());
    let name = if name.is_empty() { "file".to_owned() } else { name };
    let handle = world.dice.alphanumeric(20);
    let mut files = match held {
        Cell::Json(files) => files.as_array().cloned().unwrap_or_default(),
        _ => Vec::new(),
    };
    files.push(file_object(&handle, &name, 0, call.now));
    world.files.insert(handle, name);
    let cell = Cell::Json(Box::new(files.into()));
    let draft = Draft { cells: vec![(column, cell)], attachments: Vec::new() };
    let batch = Batch::new(world, 1);
    effect::update(world, call, table, rank, draft, &batch);
}

/// `GET /shared-files/{handle}/url/`.
pub(crate) fn address(world: &World, handle: &str) -> Answer {
    let name = world.files.get(handle).ok_or_else(not_found)?;
    let url = format!("https://cdn.files.smartsuite.com/{handle}/{name}?signature=emulated");
    Ok(Reply::json(json!({"url": url})))
}

/// A part of a multipart body.
struct Part<'b> {
    name: String,
    filename: String,
    content: &'b [u8],
}

fn parts<'b>(content_type: &str, body: &'b [u8]) -> Vec<Part<'b>> {
    let boundary = content_type.split(';').find_map(|part| part.trim().strip_prefix("boundary="));
    let Some(boundary) = boundary.map(|text| text.trim_matches('"')).filter(|b| !b.is_empty())
    else {
        return Vec::new();
    };
    let fence = format!("--{boundary}");
    split(body, fence.as_bytes()).into_iter().skip(1).filter_map(part).collect()
}

fn part(bytes: &[u8]) -> Option<Part<'_>> {
    let bytes = bytes.strip_prefix(b"\r\n")?;
    let end = find(bytes, b"\r\n\r\n")?;
    let (head, rest) = bytes.split_at_checked(end)?;
    let content = rest.strip_prefix(b"\r\n\r\n")?;
    let content = content.strip_suffix(b"\r\n").unwrap_or(content);
    let head = String::from_utf8_lossy(head);
    let disposition =
        head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let value = |key: &str| {
        let wanted = format!("{key}=");
        let found = disposition.split(';').find_map(|part| part.trim().strip_prefix(&wanted));
        found.map(|text| text.trim_matches('"').to_owned())
    };
    Some(Part { name: value("name")?, filename: value("filename").unwrap_or_default(), content })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len().max(1)).position(|window| window == wanted)
}

fn split<'b>(bytes: &'b [u8], fence: &[u8]) -> Vec<&'b [u8]> {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while let Some(at) = find(rest, fence) {
        let (part, behind) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        parts.push(part);
        rest = behind.strip_prefix(fence).unwrap_or(&[]);
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multipart_body_is_taken_apart() {
        let body =
            b"--XX\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.pdf\"\r\n\
            Content-Type: application/pdf\r\n\r\n%PDF\r\n--XX\r\n\
            Content-Disposition: form-data; name=\"filename\"\r\n\r\nreport.pdf\r\n--XX--\r\n";
        let parts = parts("multipart/form-data; boundary=XX", body);
        let found: Vec<_> =
            parts.iter().map(|p| (p.name.as_str(), p.filename.as_str(), p.content)).collect();
        let wanted: Vec<(&str, &str, &[u8])> =
            vec![("files", "a.pdf", b"%PDF"), ("filename", "", b"report.pdf")];
        assert_eq!(found, wanted);
    }

    #[test]
    fn what_is_no_multipart_body_has_no_parts() {
        for content_type in ["", "multipart/form-data", "multipart/form-data; boundary="] {
            assert!(parts(content_type, b"--\r\n\r\n--").is_empty());
        }
    }
}
