//! The field types of section 5 and what each group of them has in common.

use serde::{Deserialize, Serialize};

macro_rules! field_types {
    ($($variant:ident $name:literal),+ $(,)?) => {
        /// A field's type; the documentation of each is its row in section 5.1.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub(crate) enum FieldType { $(#[serde(rename = $name)] $variant),+ }

        impl FieldType {
            /// All of them.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name the API uses.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The type of a name the API uses.
            pub(crate) fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

field_types! {
    Text "textfield",
    TextArea "textareafield",
    RecordTitle "recordtitlefield",
    RichText "richtextareafield",
    Number "numberfield",
    Currency "currencyfield",
    Percent "percentfield",
    Duration "durationfield",
    NumberSlider "numbersliderfield",
    PercentComplete "percentcompletefield",
    Rating "ratingfield",
    YesNo "yesnofield",
    SingleSelect "singleselectfield",
    MultipleSelect "multipleselectfield",
    Status "statusfield",
    Tags "tagsfield",
    Date "datefield",
    DateRange "daterangefield",
    DueDate "duedatefield",
    Time "timefield",
    TimeTracking "timetrackingfield",
    Email "emailfield",
    Link "linkfield",
    Phone "phonefield",
    Address "addressfield",
    FullName "fullnamefield",
    IpAddress "ipaddressfield",
    SocialNetwork "socialnetworkfield",
    ColorPicker "colorpickerfield",
    User "userfield",
    LinkedRecord "linkedrecordfield",
    Dependency "dependencyfield",
    File "filefield",
    Signature "signaturefield",
    Checklist "checklistfield",
    SubItems "subitemsfield",
    Vote "votefield",
    Count "countfield",
    Rollup "rollupfield",
    Lookup "lookupfield",
    Formula "formulafield",
    AutoNumber "autonumberfield",
    RecordId "recordidfield",
    FirstCreated "firstcreatedfield",
    LastUpdated "lastupdatedfield",
    CommentsCount "commentscountfield",
    Button "buttonfield",
    AvailabilityStatus "availabilitystatusfield",
}

impl FieldType {
    /// Whether values of it cannot be written (section 3.8).
    pub(crate) fn is_read_only(self) -> bool {
        matches!(
            self,
            Self::Vote
                | Self::Count
                | Self::Rollup
                | Self::Lookup
                | Self::Formula
                | Self::AutoNumber
                | Self::RecordId
                | Self::FirstCreated
                | Self::LastUpdated
                | Self::CommentsCount
                | Self::Button
                | Self::AvailabilityStatus
        )
    }

    /// Whether records hold a value of it; the others are computed when read.
    pub(crate) fn is_stored(self) -> bool {
        !matches!(
            self,
            Self::Count
                | Self::Rollup
                | Self::Lookup
                | Self::AutoNumber
                | Self::RecordId
                | Self::FirstCreated
                | Self::LastUpdated
                | Self::CommentsCount
        )
    }

    /// Whether `add_field` and `bulk-add-fields` both refuse it (section 4.6).
    pub(crate) fn is_never_addable(self) -> bool {
        matches!(
            self,
            Self::RecordTitle
                | Self::FirstCreated
                | Self::LastUpdated
                | Self::CommentsCount
                | Self::AutoNumber
        )
    }

    /// Whether `bulk-add-fields` alone refuses it (section 4.6).
    pub(crate) fn is_refused_in_bulk_add(self) -> bool {
        matches!(
            self,
            Self::TimeTracking
                | Self::Checklist
                | Self::SocialNetwork
                | Self::Vote
                | Self::Count
                | Self::File
                | Self::Signature
                | Self::Formula
                | Self::Rollup
                | Self::RecordId
                | Self::SubItems
                | Self::Button
        )
    }

    /// Whether its params hold choices.
    pub(crate) fn has_choices(self) -> bool {
        matches!(self, Self::SingleSelect | Self::MultipleSelect | Self::Status | Self::Tags)
    }

    /// Whether equal values are found through an index instead of by reading every record.
    pub(crate) fn is_indexed(self) -> bool {
        matches!(
            self,
            Self::Text
                | Self::RecordTitle
                | Self::Email
                | Self::Number
                | Self::Currency
                | Self::SingleSelect
                | Self::Status
        )
    }

    /// Whether a `null` is its own empty form, or close to it (text, numbers, one choice).
    pub(crate) fn is_scalar(self) -> bool {
        matches!(
            self,
            Self::Text
                | Self::TextArea
                | Self::RecordTitle
                | Self::Number
                | Self::Currency
                | Self::Percent
                | Self::Duration
                | Self::NumberSlider
                | Self::PercentComplete
                | Self::Rating
                | Self::YesNo
                | Self::SingleSelect
                | Self::Time
                | Self::Signature
                | Self::Date
        )
    }
}
