//! From a path and a method to the rule that answers (points 4, 5 and 8).

use http::{Method, StatusCode, Uri, header};
use serde_json::json;

use crate::model::world::World;
use crate::profile::{MissingSlash, Profile, UnknownRoute};
use crate::reply::{Answer, Body, Reply, detail, html_page};
use crate::route::{Path, REST};
use crate::rules::call::Call;
use crate::rules::draft::Mode;
use crate::rules::webhooks::rpc;
use crate::rules::{
    bulk, comments, deleted, fields, files, list, members, single, solutions, tables, view,
};

/// Refuses a path that is not there, and one that lacks its slash.
pub(crate) fn path(profile: &Profile, uri: &Uri) -> Result<Path, Reply> {
    let raw = uri.path();
    let Some(path) = Path::parse(raw).filter(|path| is_served(profile, path, raw)) else {
        return Err(unknown_route(profile));
    };
    if raw.starts_with(REST) && !raw.ends_with('/') {
        return Err(match profile.missing_slash {
            MissingSlash::Redirect => {
                let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
                Reply::new(StatusCode::MOVED_PERMANENTLY, Body::Empty)
                    .with(header::LOCATION, format!("{raw}/{query}"))
            }
            MissingSlash::NotFound => unknown_route(profile),
        });
    }
    Ok(path)
}

fn is_served(profile: &Profile, path: &Path, raw: &str) -> bool {
    match path {
        Path::BulkAddFields(_) => {
            !raw.contains("bulk_add_fields") || profile.underscore_bulk_fields
        }
        Path::ShortRestore(_) => profile.short_restore_path,
        _ => true,
    }
}

fn unknown_route(profile: &Profile) -> Reply {
    match profile.unknown_route {
        UnknownRoute::Html => html_page(StatusCode::NOT_FOUND, "Not Found"),
        UnknownRoute::Json => {
            Reply::new(StatusCode::NOT_FOUND, Body::Json(json!({"detail": "Not found."})))
        }
    }
}

/// Answers a call to a path.
pub(crate) fn serve(world: &mut World, call: &Call<'_>, path: &Path) -> Answer {
    let wrong_method = || {
        let said = format!("Method \"{}\" not allowed.", call.method);
        Err(detail(StatusCode::METHOD_NOT_ALLOWED, &said))
    };
    if let Path::Webhooks(method) = path {
        return rpc::serve(world, call, method);
    }
    match (path, Verb::of(call.method)) {
        (Path::Accounts, Verb::Get) => Ok(solutions::accounts(world, call)),
        (Path::Solutions, Verb::Get) => solutions::list(world, call),
        (Path::Solutions, Verb::Post) => solutions::create(world, call),
        (Path::SolutionNames, Verb::Post) => solutions::is_unique_name(world, call),
        (Path::Solution(id), Verb::Get) => solutions::get(world, call, id),
        (Path::Tables, Verb::Get) => Ok(tables::list(world, call)),
        (Path::Tables, Verb::Post) => tables::create(world, call),
        (Path::DeletedTables, Verb::Post) => tables::deleted(world, call),
        (Path::DeletedFields, Verb::Post) => fields::deleted(world, call),
        (Path::Table(t), Verb::Get) => tables::get(world, call, t),
        (Path::Table(t), Verb::Patch) => tables::change(world, call, t),
        (Path::TableCopy(t), Verb::Post) => tables::copy(world, call, t),
        (Path::AddField(t), Verb::Post) => fields::add(world, call, t),
        (Path::BulkAddFields(t), Verb::Post) => fields::add_in_bulk(world, call, t),
        (Path::ChangeField(t), Verb::Put) => fields::change(world, call, t),
        (Path::DeleteField(t), Verb::Post) => fields::delete(world, call, t),
        (Path::RestoreField(t), Verb::Post) => fields::restore(world, call, t),
        (Path::Records(t), Verb::Post) => single::create(world, call, t),
        (Path::List(t), Verb::Post) => list::serve(world, call, t),
        (Path::Bulk(t), Verb::Post) => bulk::create(world, call, t),
        (Path::Bulk(t), Verb::Patch) => bulk::update(world, call, t, Mode::Update),
        (Path::Bulk(t), Verb::Put) => bulk::update(world, call, t, Mode::Replace),
        (Path::Bulk(t), Verb::Delete) if call.profile.bulk_delete_by_delete => {
            bulk::delete(world, call, t)
        }
        (Path::BulkDelete(t), Verb::Patch) => bulk::delete(world, call, t),
        (Path::View(t), Verb::Get) => view::serve(world, call, t),
        (Path::Record(t, r), Verb::Get) => single::get(world, call, t, r),
        (Path::Record(t, r), Verb::Patch) => single::update(world, call, t, r, Mode::Update),
        (Path::Record(t, r), Verb::Put) => single::update(world, call, t, r, Mode::Replace),
        (Path::Record(t, r), Verb::Delete) => single::delete(world, call, t, r),
        (Path::Restore(t, r), Verb::Post) => single::restore(world, call, t, r),
        (Path::DeletedRecords, Verb::Post) => deleted::list(world, call),
        (Path::DeletedPages, Verb::Post) => deleted::pages(world, call),
        (Path::ShortRestore(r), Verb::Post) => deleted::restore_by_id(world, call, r),
        (Path::RecordFiles(t, r, slug), Verb::Post) => files::upload(world, call, (t, r, slug)),
        (Path::FileAddress(handle), Verb::Get) => files::address(world, handle),
        (Path::Comments, Verb::Get) => comments::list(world, call),
        (Path::Comments, Verb::Post) => comments::create(world, call),
        (Path::Members, Verb::Post) => members::members(world, call),
        (Path::Teams, Verb::Post) => members::teams(world, call),
        _ => wrong_method(),
    }
}

/// The methods that any resource knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    Other,
}

impl Verb {
    fn of(method: &Method) -> Self {
        match method.as_str() {
            "GET" | "HEAD" => Self::Get,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => Self::Other,
        }
    }
}
