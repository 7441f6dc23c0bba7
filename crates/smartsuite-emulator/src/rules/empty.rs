//! What an empty value of each type reads as (section 5.1, column "Empty as read").

use serde_json::{Value, json};

use crate::model::field_type::FieldType;

/// A date that is none.
pub(crate) fn no_date() -> Value {
    json!({"date": null, "include_time": false})
}

/// The empty form.
pub(crate) fn form(kind: FieldType) -> Value {
    match kind {
        FieldType::Text
        | FieldType::TextArea
        | FieldType::RecordTitle
        | FieldType::SingleSelect => json!(""),
        FieldType::RichText => {
            json!({"data": {"type": "doc", "content": []}, "html": "", "preview": ""})
        }
        FieldType::Number
        | FieldType::Currency
        | FieldType::Percent
        | FieldType::Duration
        | FieldType::NumberSlider
        | FieldType::PercentComplete
        | FieldType::Rating
        | FieldType::Time
        | FieldType::Signature
        | FieldType::Formula
        | FieldType::Button
        | FieldType::AvailabilityStatus
        | FieldType::Rollup
        | FieldType::AutoNumber
        | FieldType::RecordId
        | FieldType::FirstCreated
        | FieldType::LastUpdated => Value::Null,
        FieldType::YesNo => json!(false),
        FieldType::Status => json!({"value": "", "updated_on": null}),
        FieldType::Date => no_date(),
        FieldType::DateRange => json!({"from_date": no_date(), "to_date": no_date()}),
        FieldType::DueDate => json!({
            "from_date": no_date(), "to_date": no_date(), "is_overdue": false,
            "status_is_completed": false, "status_updated_on": null,
        }),
        FieldType::TimeTracking => json!({"time_track_logs": [], "total_duration": 0}),
        FieldType::MultipleSelect
        | FieldType::Tags
        | FieldType::Email
        | FieldType::Link
        | FieldType::Phone
        | FieldType::IpAddress
        | FieldType::ColorPicker
        | FieldType::User
        | FieldType::LinkedRecord
        | FieldType::File
        | FieldType::Lookup => json!([]),
        FieldType::Address => json!({
            "location_address": "", "location_address2": "", "location_city": "",
            "location_state": "", "location_zip": "", "location_country": "",
            "location_longitude": "", "location_latitude": "", "sys_root": "",
        }),
        FieldType::FullName => json!({
            "title": "", "first_name": "", "middle_name": "", "last_name": "", "sys_root": "",
        }),
        FieldType::SocialNetwork => json!({
            "facebook_username": "", "twitter_username": "", "instagram_username": "",
            "linkedin_username": "",
        }),
        FieldType::Dependency => json!({"predecessor": [], "successor": []}),
        FieldType::Checklist => json!({"items": [], "total_items": 0, "completed_items": 0}),
        FieldType::SubItems => json!({"count": 0, "items": []}),
        FieldType::Vote => json!({"total_votes": 0, "votes": []}),
        FieldType::Count => json!("0"),
        FieldType::CommentsCount => json!(0),
    }
}
