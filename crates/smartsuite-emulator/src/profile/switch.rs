//! The positions of the switches: each enum is one question that public material leaves open.

use serde::{Deserialize, Serialize};

macro_rules! switch {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $position:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$doc])* $position),+ }
    };
}

switch! {
    /// The answer to a path without its trailing slash (section 1.2).
    MissingSlash {
        /// 301 to the path with the slash; the request itself has no effect.
        Redirect,
        /// 404.
        NotFound,
    }
}
switch! {
    /// The answer to a key that is not accepted (section 1.3).
    RejectedToken {
        /// 401 with `detail`.
        Unauthorized,
        /// 403 with `detail`.
        Forbidden,
        /// 400 with a text that does not speak of the account id.
        BadRequest,
    }
}
switch! {
    /// The body of a 404 for a path that does not exist (point 5).
    UnknownRoute {
        /// An HTML page.
        Html,
        /// JSON with `detail`.
        Json,
    }
}
switch! {
    /// The body of a 429, which no document describes (section 1.4).
    RateBody {
        /// JSON with `detail`.
        Json,
        /// An HTML page.
        Html,
        /// Nothing.
        Empty,
    }
}
switch! {
    /// What shares one bucket of requests (section 2.1).
    BucketOf {
        /// Each key has its own.
        Key,
        /// All keys of a member share one.
        Member,
    }
}
switch! {
    /// The answer once the month's calls are spent (section 2.2).
    OverQuota {
        /// 429.
        TooManyRequests,
        /// 403 that says so.
        Forbidden,
        /// 403 in the words of any other.
        Unsaid,
    }
}
switch! {
    /// The status of a refused record when the plan's record limit is reached (section 2.3).
    RecordLimit {
        /// 422.
        Unprocessable,
        /// 403.
        Forbidden,
    }
}
switch! {
    /// Whether `field_position` must come with a new field (section 4.6).
    FieldPosition {
        /// It must be there with `prev_sibling_slug`.
        Required,
        /// It, or its content, may be absent.
        Optional,
    }
}
switch! {
    /// The answer of `delete_field` (section 4.6).
    DeleteFieldAnswer {
        /// The field.
        Field,
        /// The whole table.
        Table,
    }
}
switch! {
    /// The shape of the list of tables (section 4.2).
    TablesAnswer {
        /// A bare array.
        Array,
        /// `{count, next, previous, results}`.
        Results,
        /// `{total, offset, limit, items}`.
        Items,
    }
}
switch! {
    /// What happens to something in a write that cannot be written.
    Unwanted {
        /// It is left out without a word.
        Ignore,
        /// 400 on its slug.
        Refuse,
    }
}
switch! {
    /// The status of a refused value (section 1.4: "400 vs 422 is not reliable").
    ValidationStatus {
        /// 400.
        BadRequest,
        /// 422.
        Unprocessable,
    }
}
switch! {
    /// What a `null` does in a write (point 24).
    NullValues {
        /// It clears every type.
        Clear,
        /// It clears types whose empty form is null or text; others want their own empty form.
        ScalarsOnly,
    }
}
switch! {
    /// How reads show empty values (section 3.2).
    ReadEmpties {
        /// Left out.
        Omitted,
        /// Shown where a value was once written, left out where none ever was.
        Mixed,
        /// All shown.
        Explicit,
    }
}
switch! {
    /// A list without `limit` (section 3.4).
    ListDefault {
        /// Every match, with `"limit": 0`.
        All,
        /// The first hundred.
        FirstHundred,
    }
}
switch! {
    /// A list with a `limit` above 1000 (section 3.4).
    OverLimit {
        /// 400.
        Refuse,
        /// Served as 1000.
        Cap,
    }
}
switch! {
    /// The `offset` in a list's answer (section 3.4).
    ListOffset {
        /// The request's own.
        Echo,
        /// That of the next page.
        Next,
    }
}
switch! {
    /// How `is` compares text (section 3.5).
    TextIs {
        /// To the letter.
        Exact,
        /// Ignoring case and outer white space.
        Loose,
    }
}
switch! {
    /// `is` on a linked record field (section 3.5).
    LinkedIs {
        /// No rows, no error.
        NoRows,
        /// 400.
        Refuse,
    }
}
switch! {
    /// Which values `is_empty` and `is_not_empty` allow (section 3.5).
    EmptyCheck {
        /// `null`; text types also take `""`.
        TextMayPassText,
        /// `null` alone.
        NullOnly,
    }
}
switch! {
    /// `has_any_of` and `is_any_of` with an empty array (section 3.5).
    EmptyAnyOf {
        /// No rows.
        NoRows,
        /// Every row.
        AllRows,
        /// 400.
        Refuse,
    }
}
switch! {
    /// Whose time zone sets the day of date filters (section 3.5).
    DayBoundary {
        /// The key's member's.
        Member,
        /// UTC.
        Utc,
    }
}
switch! {
    /// Where empty values sort, whatever the direction (section 3.6).
    Nulls {
        /// After all others.
        Last,
        /// Before all others.
        First,
    }
}
switch! {
    /// What happens to a value that is not understood.
    Misfit {
        /// Nothing is stored and the call succeeds.
        Blank,
        /// 400 on the slug.
        Refuse,
    }
}
switch! {
    /// `{"value": id}` sent to a single select (trap 2 of section 7.1).
    SelectObject {
        /// Saved empty, with 200.
        Blank,
        /// Taken as the id.
        Accepted,
        /// 400.
        Refuse,
    }
}
switch! {
    /// A plain string sent to a rich text field (trap 3 of section 7.1).
    DocString {
        /// Saved empty, with 200.
        Blank,
        /// Turned into a document.
        Converted,
        /// 400.
        Refuse,
    }
}
switch! {
    /// Which written form of a date is understood (section 5.2).
    DateForms {
        /// The complete object and the ISO string.
        Both,
        /// The object alone.
        Object,
        /// The string alone.
        Text,
    }
}
switch! {
    /// A number with more decimals than the field's precision (section 5.1).
    DecimalExcess {
        /// All are kept.
        Keep,
        /// Rounded half up.
        Round,
        /// 400.
        Refuse,
    }
}
switch! {
    /// A number outside the field's bounds (section 5.1).
    OutOfRange {
        /// 400.
        Refuse,
        /// Set to the nearer bound.
        Clamp,
    }
}
switch! {
    /// A text longer than the field's `max_length` or the switch `max_text_chars` (section 5.4).
    LongText {
        /// 400.
        Refuse,
        /// Cut.
        Cut,
        /// Stored whole.
        Ignore,
    }
}
switch! {
    /// Several entries for a field whose `entries_allowed` is `single` (section 5.1).
    SingleOverflow {
        /// 400.
        Refuse,
        /// The first is kept.
        KeepFirst,
        /// All are kept.
        Accept,
    }
}
switch! {
    /// A linked record id that does not exist (section 9, unknown 20).
    UnknownLink {
        /// 400.
        Refuse,
        /// Left out without a word.
        Drop,
    }
}
switch! {
    /// Member ids written to a user field (section 10: "not writable").
    UserWrites {
        /// Stored.
        Accepted,
        /// Saved empty, with 200.
        Blank,
    }
}
switch! {
    /// The answer of a single delete (point 38).
    DeleteAnswer {
        /// 200 with the record.
        Body,
        /// 204.
        NoContent,
    }
}
switch! {
    /// The shape of the answer to a bulk create or update (section 3.11).
    BulkAnswer {
        /// A bare array.
        Array,
        /// `{"items": [...]}`.
        Items,
        /// `{"successful_items": [...], "failed_items": [{"index", "reason"}]}`.
        Outcomes,
    }
}
switch! {
    /// The order of a bulk answer (section 3.11).
    BulkOrder {
        /// That of the request.
        Input,
        /// Another.
        Shuffled,
    }
}
switch! {
    /// What one bad item does to its bulk call (section 3.11).
    BulkBadItem {
        /// The whole call is refused and nothing is written.
        RefuseAll,
        /// The good items are written and answered with 200.
        Partial,
        /// The items before it are written, and the call is refused all the same.
        PartialThenRefuse,
    }
}
switch! {
    /// The body of a refused bulk call (section 1.5).
    BulkErrors {
        /// `{"items": [{}, {"slug": ["msg"]}]}`.
        ItemsObject,
        /// `[{}, {"slug": ["msg"]}]`.
        AlignedArray,
        /// `{"slug": ["msg"]}`: the item is not named.
        FieldsOnly,
    }
}
switch! {
    /// Ids in a bulk call that no record has (section 3.11).
    UnknownIds {
        /// 404 for the whole call.
        RefuseAll,
        /// Left out.
        Skip,
    }
}
switch! {
    /// One id twice in a bulk update (section 3.11).
    BulkDuplicates {
        /// Applied in order.
        Apply,
        /// 400.
        Refuse,
    }
}
switch! {
    /// What a delete event carries (point 45).
    DeleteEvent {
        /// The full last state.
        FullState,
        /// The id alone.
        IdOnly,
    }
}
switch! {
    /// What an update event carries (section 6.1).
    UpdateEvent {
        /// The full record.
        Full,
        /// The id and the changed fields.
        ChangedOnly,
    }
}
switch! {
    /// What `previous` of an update event holds (section 6.1).
    Previous {
        /// The prior values of the changed fields.
        Changed,
        /// The whole prior record.
        Everything,
        /// Nothing.
        Nothing,
    }
}
switch! {
    /// `next_page_token` of a page without events (section 6.2).
    EmptyPageToken {
        /// The request's own.
        Kept,
        /// Left out.
        Omitted,
    }
}
switch! {
    /// When a webhook's address is pinged (point 47).
    Pings {
        /// Once for every event.
        PerEvent,
        /// Once for all events within `ping_debounce_ms`.
        Debounced,
    }
}
