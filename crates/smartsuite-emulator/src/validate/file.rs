//! Files: addresses to fetch, or objects copied from another field (section 3.12).

use serde_json::{Value, json};

use super::{Writer, Written, array, entries_allowed, no};
use crate::dice::stable_hash;
use crate::model::cell::Cell;
use crate::model::field::Field;
use crate::moment::Moment;

/// Only file objects become part of the record now; addresses are fetched later, by whoever
/// applies the write.
pub(super) fn files(cx: &Writer<'_>, field: &Field, value: &Value) -> Written {
    let mut files = Vec::new();
    for item in array(value, "files")? {
        match item {
            Value::String(address) if address.contains("://") => {}
            Value::Object(file) if file.get("handle").is_some_and(Value::is_string) => {
                files.push(item.clone());
            }
            _ => return no("URL is not valid"),
        }
    }
    let files = entries_allowed(cx.profile, field, files)?;
    if files.is_empty() {
        return Ok(Cell::Empty);
    }
    Ok(Cell::Json(Box::new(files.into())))
}

/// A file as records show it. Its content is not kept: the emulator fetches nothing.
pub(crate) fn file_object(handle: &str, name: &str, size: usize, now: Moment) -> Value {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    let (file_type, mimetype) = kind(&ending);
    json!({
        "handle": handle,
        "metadata": {
            "container": "smart-suite-media",
            "filename": name,
            "key": format!("{:016x}_{name}", stable_hash(handle)),
            "mimetype": mimetype,
            "size": size,
        },
        "transform_options": {},
        "icon": file_type,
        "file_type": file_type,
        "created_on": now.exact(),
        "updated_on": now.exact(),
        "description": "",
    })
}

fn kind(ending: &str) -> (&'static str, &'static str) {
    match ending {
        "zip" | "gz" | "tar" | "7z" | "rar" => ("archive", "application/zip"),
        "png" => ("image", "image/png"),
        "jpg" | "jpeg" => ("image", "image/jpeg"),
        "gif" | "svg" | "webp" => ("image", "image/webp"),
        "mp3" | "wav" | "ogg" => ("music", "audio/mpeg"),
        "pdf" => ("pdf", "application/pdf"),
        "ppt" | "pptx" => ("powerpoint", "application/vnd.ms-powerpoint"),
        "xls" | "xlsx" | "csv" => ("spreadsheet", "application/vnd.ms-excel"),
        "mp4" | "mov" | "avi" => ("video", "video/mp4"),
        "doc" | "docx" => ("word", "application/msword"),
        _ => ("other", "application/octet-stream"),
    }
}
