//! The named profiles: bundles of positions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{
    BucketOf, BulkAnswer, BulkBadItem, BulkDuplicates, BulkErrors, BulkOrder, DateForms,
    DayBoundary, DecimalExcess, DeleteAnswer, DeleteEvent, DeleteFieldAnswer, DocString,
    EmptyAnyOf, EmptyCheck, EmptyPageToken, FieldPosition, LinkedIs, ListDefault, ListOffset,
    LongText, Misfit, MissingSlash, NullValues, Nulls, OutOfRange, OverLimit, OverQuota, Pings,
    Previous, Profile, RateBody, ReadEmpties, RecordLimit, RejectedToken, SelectObject,
    SingleOverflow, SwitchError, TablesAnswer, TextIs, UnknownIds, UnknownLink, UnknownRoute,
    Unwanted, UpdateEvent, UserWrites, ValidationStatus,
};

/// A bundle of positions with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileName {
    /// What public material makes most likely.
    #[default]
    Default,
    /// Everything doubtful is refused.
    Strict,
    /// Everything doubtful is allowed.
    Lenient,
    /// The nastiest plausible answer everywhere.
    Adversarial,
}

impl ProfileName {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Default, Self::Strict, Self::Lenient, Self::Adversarial];

    /// The positions this name stands for.
    pub fn profile(self) -> Profile {
        match self {
            Self::Default => Profile::default(),
            Self::Strict => Profile::strict(),
            Self::Lenient => Profile::lenient(),
            Self::Adversarial => Profile::adversarial(),
        }
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::Strict => "strict",
            Self::Lenient => "lenient",
            Self::Adversarial => "adversarial",
        })
    }
}

impl FromStr for ProfileName {
    type Err = SwitchError;

    fn from_str(text: &str) -> Result<Self, SwitchError> {
        let found = Self::ALL.into_iter().find(|name| name.to_string() == text);
        found.ok_or_else(|| {
            SwitchError("a profile is one of default, strict, lenient, adversarial".into())
        })
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            missing_slash: MissingSlash::Redirect,
            rejected_token: RejectedToken::Unauthorized,
            unknown_route: UnknownRoute::Html,
            emulator_header: true,
            rate_limit: Some(5),
            lockout_seconds: 30,
            penalty_restarts: true,
            retry_after: false,
            rate_body: RateBody::Json,
            shared_bucket: true,
            bucket_of: BucketOf::Key,
            second_shift_ms: 0,
            second_jitter_ms: 0,
            quota_throttle_per_second: 2,
            quota_stop_percent: 125,
            over_quota: OverQuota::TooManyRequests,
            record_limit: RecordLimit::Unprocessable,
            record_limit_bulk: BulkBadItem::RefuseAll,
            max_body_bytes: Some(1_048_576),
            field_position: FieldPosition::Required,
            add_field_delay_ms: 500,
            change_field_delay_ms: 1500,
            delete_field_answer: DeleteFieldAnswer::Field,
            ten_character_slugs: false,
            duplicate_labels: true,
            tables_answer: TablesAnswer::Array,
            underscore_bulk_fields: false,
            unknown_slug: Unwanted::Ignore,
            read_only_slug: Unwanted::Ignore,
            validation_status: ValidationStatus::BadRequest,
            required_status: ValidationStatus::Unprocessable,
            unique_single: true,
            unique_bulk: false,
            required_bulk: false,
            null_values: NullValues::Clear,
            noop_bumps: true,
            stamps_apart_ms: 0,
            read_empties: ReadEmpties::Mixed,
            list_default: ListDefault::All,
            list_over_limit: OverLimit::Refuse,
            list_offset: ListOffset::Echo,
            text_is: TextIs::Exact,
            trim_text: false,
            linked_is: LinkedIs::NoRows,
            select_labels_in_filters: false,
            empty_check_value: EmptyCheck::TextMayPassText,
            is_after: false,
            nested_filters: false,
            empty_any_of: EmptyAnyOf::NoRows,
            max_filter_clauses: None,
            day_boundary: DayBoundary::Member,
            nulls: Nulls::Last,
            fields_query: false,
            unknown_choice: Misfit::Refuse,
            new_label: Misfit::Blank,
            select_object: SelectObject::Blank,
            doc_string: DocString::Blank,
            date_forms: DateForms::Both,
            range_date_forms: DateForms::Both,
            incomplete_dates: false,
            bare_days: false,
            dates_to_the_second: false,
            decimal_excess: DecimalExcess::Keep,
            out_of_range: OutOfRange::Refuse,
            long_text: LongText::Refuse,
            max_text_chars: Some(65_536),
            email_syntax: true,
            phone_text: true,
            single_overflow: SingleOverflow::Refuse,
            unknown_link: UnknownLink::Refuse,
            link_bumps: true,
            user_writes: UserWrites::Accepted,
            autonumber_prefix: false,
            delete_answer: DeleteAnswer::Body,
            short_restore_path: false,
            bulk_answer: BulkAnswer::Array,
            bulk_order: BulkOrder::Input,
            bulk_bad_item: BulkBadItem::RefuseAll,
            bulk_errors: BulkErrors::ItemsObject,
            bulk_unknown_id: UnknownIds::RefuseAll,
            bulk_delete_unknown: UnknownIds::Skip,
            bulk_duplicates: BulkDuplicates::Apply,
            empty_bulk: false,
            bulk_delete_by_delete: false,
            list_lag_ms: 0,
            file_fetch_delay_ms: 2000,
            rpc_omits_empty: true,
            delete_event: DeleteEvent::FullState,
            update_event: UpdateEvent::Full,
            previous: Previous::Changed,
            own_writes_raise_events: true,
            empty_page_token: EmptyPageToken::Kept,
            event_retention_days: None,
            webhook_page_max: 100,
            pings: Pings::PerEvent,
            ping_debounce_ms: 1000,
        }
    }
}

impl Profile {
    /// Everything doubtful is refused, and everything empty is left out of reads.
    pub fn strict() -> Self {
        Self {
            missing_slash: MissingSlash::NotFound,
            unknown_route: UnknownRoute::Json,
            add_field_delay_ms: 2000,
            change_field_delay_ms: 3000,
            ten_character_slugs: true,
            duplicate_labels: false,
            unknown_slug: Unwanted::Refuse,
            read_only_slug: Unwanted::Refuse,
            validation_status: ValidationStatus::Unprocessable,
            unique_bulk: true,
            required_bulk: true,
            null_values: NullValues::ScalarsOnly,
            read_empties: ReadEmpties::Omitted,
            list_default: ListDefault::FirstHundred,
            linked_is: LinkedIs::Refuse,
            empty_check_value: EmptyCheck::NullOnly,
            empty_any_of: EmptyAnyOf::Refuse,
            max_filter_clauses: Some(50),
            new_label: Misfit::Refuse,
            select_object: SelectObject::Refuse,
            doc_string: DocString::Refuse,
            date_forms: DateForms::Object,
            range_date_forms: DateForms::Object,
            decimal_excess: DecimalExcess::Refuse,
            phone_text: false,
            bulk_delete_unknown: UnknownIds::RefuseAll,
            bulk_duplicates: BulkDuplicates::Refuse,
            ..Self::default()
        }
    }

    /// Everything doubtful is allowed, and everything empty is shown.
    pub fn lenient() -> Self {
        Self {
            unknown_route: UnknownRoute::Json,
            penalty_restarts: false,
            retry_after: true,
            shared_bucket: false,
            max_body_bytes: None,
            field_position: FieldPosition::Optional,
            add_field_delay_ms: 0,
            change_field_delay_ms: 0,
            underscore_bulk_fields: true,
            unique_single: false,
            noop_bumps: false,
            read_empties: ReadEmpties::Explicit,
            list_over_limit: OverLimit::Cap,
            select_labels_in_filters: true,
            is_after: true,
            nested_filters: true,
            fields_query: true,
            select_object: SelectObject::Accepted,
            doc_string: DocString::Converted,
            incomplete_dates: true,
            bare_days: true,
            long_text: LongText::Ignore,
            max_text_chars: None,
            email_syntax: false,
            single_overflow: SingleOverflow::Accept,
            link_bumps: false,
            short_restore_path: true,
            bulk_answer: BulkAnswer::Items,
            record_limit_bulk: BulkBadItem::Partial,
            bulk_bad_item: BulkBadItem::Partial,
            bulk_unknown_id: UnknownIds::Skip,
            empty_bulk: true,
            bulk_delete_by_delete: true,
            file_fetch_delay_ms: 0,
            rpc_omits_empty: false,
            previous: Previous::Everything,
            own_writes_raise_events: false,
            pings: Pings::Debounced,
            ..Self::default()
        }
    }

    /// The nastiest plausible answer everywhere.
    pub fn adversarial() -> Self {
        Self {
            rejected_token: RejectedToken::BadRequest,
            stamps_apart_ms: 400,
            rate_body: RateBody::Html,
            bucket_of: BucketOf::Member,
            second_shift_ms: 370,
            over_quota: OverQuota::Unsaid,
            record_limit: RecordLimit::Forbidden,
            record_limit_bulk: BulkBadItem::PartialThenRefuse,
            add_field_delay_ms: 5000,
            change_field_delay_ms: 8000,
            delete_field_answer: DeleteFieldAnswer::Table,
            tables_answer: TablesAnswer::Results,
            validation_status: ValidationStatus::Unprocessable,
            required_status: ValidationStatus::BadRequest,
            null_values: NullValues::ScalarsOnly,
            list_default: ListDefault::FirstHundred,
            list_over_limit: OverLimit::Cap,
            list_offset: ListOffset::Next,
            text_is: TextIs::Loose,
            trim_text: true,
            empty_check_value: EmptyCheck::NullOnly,
            empty_any_of: EmptyAnyOf::AllRows,
            max_filter_clauses: Some(25),
            day_boundary: DayBoundary::Utc,
            nulls: Nulls::First,
            unknown_choice: Misfit::Blank,
            date_forms: DateForms::Text,
            range_date_forms: DateForms::Text,
            dates_to_the_second: true,
            decimal_excess: DecimalExcess::Round,
            out_of_range: OutOfRange::Clamp,
            long_text: LongText::Cut,
            phone_text: false,
            single_overflow: SingleOverflow::KeepFirst,
            unknown_link: UnknownLink::Drop,
            user_writes: UserWrites::Blank,
            autonumber_prefix: true,
            delete_answer: DeleteAnswer::NoContent,
            bulk_answer: BulkAnswer::Outcomes,
            bulk_order: BulkOrder::Shuffled,
            bulk_bad_item: BulkBadItem::PartialThenRefuse,
            bulk_errors: BulkErrors::FieldsOnly,
            bulk_unknown_id: UnknownIds::Skip,
            bulk_delete_unknown: UnknownIds::RefuseAll,
            list_lag_ms: 1500,
            file_fetch_delay_ms: 20_000,
            delete_event: DeleteEvent::IdOnly,
            update_event: UpdateEvent::ChangedOnly,
            previous: Previous::Nothing,
            empty_page_token: EmptyPageToken::Omitted,
            event_retention_days: Some(7),
            pings: Pings::Debounced,
            ..Self::default()
        }
    }
}
