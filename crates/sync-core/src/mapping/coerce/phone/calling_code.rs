//! The world's calling codes, and what is needed to tell one country's numbers from another's.

/// A country with its numbering plan. Countries that share a calling code share the plan.
#[derive(Clone, Copy, Debug)]
pub(in crate::mapping) struct Country {
    /// ISO 3166 alpha-2, upper case.
    name: &'static str,
    plan: &'static Plan,
}

/// One calling code.
#[derive(Debug)]
struct Plan {
    /// Digits after the `+`.
    code: &'static str,
    /// Digits dialled before a national number at home; not part of the number. Empty where there are none.
    trunk: &'static str,
    /// Countries, the one that most numbers belong to first.
    countries: &'static str,
}

/// Digits of a complete national number of calling codes 1 and 7; only those tell the country.
const SPLIT_PLAN_DIGITS: usize = 10;

impl Country {
    /// The country of an ISO alpha-2 code, in any case; `None` if it is none with telephones.
    pub(in crate::mapping) fn new(name: &str) -> Option<Self> {
        let wanted = name.trim();
        PLANS.iter().find_map(|plan| {
            let name = plan.countries.split(' ').find(|name| name.eq_ignore_ascii_case(wanted))?;
            Some(Self { name, plan })
        })
    }

    /// Country and national digits of a number dialled as at home.
    pub(super) fn at_home(self, digits: &str) -> (&'static str, &str) {
        let national = self.plan.without_trunk(digits);
        (self.plan.country_of(national, self.name), national)
    }

    /// Country and national digits of a number that begins with a calling code; `None` if no country has it. Of
    /// countries that share the code and cannot be told apart, this one if it is among them.
    pub(super) fn abroad(self, digits: &str) -> Option<(&'static str, &str)> {
        let (plan, national) = (1..=3).find_map(|length| {
            let (code, national) = digits.split_at_checked(length)?;
            let at = PLANS.binary_search_by(|plan| plan.code.cmp(code)).ok()?;
            Some((PLANS.get(at)?, national))
        })?;
        Some((plan.country_of(national, self.name), national))
    }
}

impl Plan {
    /// Without the trunk prefix. Where a national number may begin with it, as with 1 and 7, only a number that is one
    /// digit too long is taken to have it; there the calling code often stands without its `+`.
    fn without_trunk<'a>(&self, digits: &'a str) -> &'a str {
        if self.is_split_by_area() {
            let national =
                digits.strip_prefix(self.trunk).or_else(|| digits.strip_prefix(self.code));
            return national.filter(|number| number.len() == SPLIT_PLAN_DIGITS).unwrap_or(digits);
        }
        digits.strip_prefix(self.trunk).unwrap_or(digits)
    }

    /// The country of a national number; `default` where the number does not tell and the code allows it.
    fn country_of(&self, national: &str, default: &'static str) -> &'static str {
        if self.is_split_by_area() && national.len() == SPLIT_PLAN_DIGITS {
            return self.country_by_area(national, default);
        }
        let countries = || self.countries.split(' ');
        if countries().any(|country| country == default) {
            default
        } else {
            countries().next().unwrap_or_default()
        }
    }

    fn country_by_area(&self, national: &str, default: &'static str) -> &'static str {
        if self.code == "7" {
            return if national.starts_with(['6', '7']) { "KZ" } else { "RU" };
        }
        let area = national.get(..3).unwrap_or_default();
        let special =
            AREA_CODES.iter().find(|(_, codes)| codes.split(' ').any(|code| code == area));
        match special {
            Some((country, _)) => country,
            // Free and premium numbers belong to the whole plan.
            None if default == "CA" => "CA",
            None => "US",
        }
    }

    /// Whether the first digits tell the country of a complete number.
    fn is_split_by_area(&self) -> bool {
        matches!(self.code, "1" | "7")
    }
}

/// Area codes of calling code 1 outside the United States.
const AREA_CODES: [(&str, &str); 24] = [
    ("AG", "268"),
    ("AI", "264"),
    ("AS", "684"),
    ("BB", "246"),
    ("BM", "441"),
    ("BS", "242"),
    (
        "CA",
        "204 226 236 249 250 257 263 289 306 343 354 365 367 368 382 387 403 416 418 428 431 437 438 450 460 468 \
         474 506 514 519 537 548 568 579 581 584 587 604 613 639 647 672 683 705 709 742 753 778 780 782 807 819 \
         825 851 867 873 879 902 905 942",
    ),
    ("DM", "767"),
    ("DO", "809 829 849"),
    ("GD", "473"),
    ("GU", "671"),
    ("JM", "658 876"),
    ("KN", "869"),
    ("KY", "345"),
    ("LC", "758"),
    ("MP", "670"),
    ("MS", "664"),
    ("PR", "787 939"),
    ("SX", "721"),
    ("TC", "649"),
    ("TT", "868"),
    ("VC", "784"),
    ("VG", "284"),
    ("VI", "340"),
];

/// Every geographic calling code, sorted as text for the search.
static PLANS: [Plan; 206] = [
    plan("1", "1", "US CA AG AI AS BB BM BS DM DO GD GU JM KN KY LC MP MS PR SX TC TT VC VG VI"),
    plan("20", "0", "EG"),
    plan("211", "0", "SS"),
    plan("212", "0", "MA EH"),
    plan("213", "0", "DZ"),
    plan("216", "", "TN"),
    plan("218", "0", "LY"),
    plan("220", "", "GM"),
    plan("221", "", "SN"),
    plan("222", "", "MR"),
    plan("223", "", "ML"),
    plan("224", "", "GN"),
    plan("225", "", "CI"),
    plan("226", "", "BF"),
    plan("227", "", "NE"),
    plan("228", "", "TG"),
    plan("229", "", "BJ"),
    plan("230", "", "MU"),
    plan("231", "0", "LR"),
    plan("232", "0", "SL"),
    plan("233", "0", "GH"),
    plan("234", "0", "NG"),
    plan("235", "", "TD"),
    plan("236", "", "CF"),
    plan("237", "", "CM"),
    plan("238", "", "CV"),
    plan("239", "", "ST"),
    plan("240", "", "GQ"),
    plan("241", "", "GA"),
    plan("242", "", "CG"),
    plan("243", "0", "CD"),
    plan("244", "", "AO"),
    plan("245", "", "GW"),
    plan("246", "", "IO"),
    plan("247", "", "AC"),
    plan("248", "", "SC"),
    plan("249", "0", "SD"),
    plan("250", "0", "RW"),
    plan("251", "0", "ET"),
    plan("252", "0", "SO"),
    plan("253", "", "DJ"),
    plan("254", "0", "KE"),
    plan("255", "0", "TZ"),
    plan("256", "0", "UG"),
    plan("257", "", "BI"),
    plan("258", "", "MZ"),
    plan("260", "0", "ZM"),
    plan("261", "0", "MG"),
    plan("262", "0", "RE YT"),
    plan("263", "0", "ZW"),
    plan("264", "0", "NA"),
    plan("265", "0", "MW"),
    plan("266", "", "LS"),
    plan("267", "", "BW"),
    plan("268", "", "SZ"),
    plan("269", "", "KM"),
    plan("27", "0", "ZA"),
    plan("290", "", "SH TA"),
    plan("291", "0", "ER"),
    plan("297", "", "AW"),
    plan("298", "", "FO"),
    plan("299", "", "GL"),
    plan("30", "", "GR"),
    plan("31", "0", "NL"),
    plan("32", "0", "BE"),
    plan("33", "0", "FR"),
    plan("34", "", "ES"),
    plan("350", "", "GI"),
    plan("351", "", "PT"),
    plan("352", "", "LU"),
    plan("353", "0", "IE"),
    plan("354", "", "IS"),
    plan("355", "0", "AL"),
    plan("356", "", "MT"),
    plan("357", "", "CY"),
    plan("358", "0", "FI AX"),
    plan("359", "0", "BG"),
    plan("36", "06", "HU"),
    plan("370", "8", "LT"),
    plan("371", "", "LV"),
    plan("372", "", "EE"),
    plan("373", "0", "MD"),
    plan("374", "0", "AM"),
    plan("375", "80", "BY"),
    plan("376", "", "AD"),
    plan("377", "0", "MC"),
    plan("378", "", "SM"),
    plan("380", "0", "UA"),
    plan("381", "0", "RS"),
    plan("382", "0", "ME"),
    plan("383", "0", "XK"),
    plan("385", "0", "HR"),
    plan("386", "0", "SI"),
    plan("387", "0", "BA"),
    plan("389", "0", "MK"),
    plan("39", "", "IT VA"),
    plan("40", "0", "RO"),
    plan("41", "0", "CH"),
    plan("420", "", "CZ"),
    plan("421", "0", "SK"),
    plan("423", "0", "LI"),
    plan("43", "0", "AT"),
    plan("44", "0", "GB GG IM JE"),
    plan("45", "", "DK"),
    plan("46", "0", "SE"),
    plan("47", "", "NO SJ"),
    plan("48", "", "PL"),
    plan("49", "0", "DE"),
    plan("500", "", "FK GS"),
    plan("501", "", "BZ"),
    plan("502", "", "GT"),
    plan("503", "", "SV"),
    plan("504", "", "HN"),
    plan("505", "", "NI"),
    plan("506", "", "CR"),
    plan("507", "", "PA"),
    plan("508", "0", "PM"),
    plan("509", "", "HT"),
    plan("51", "0", "PE"),
    plan("52", "01", "MX"),
    plan("53", "0", "CU"),
    plan("54", "0", "AR"),
    plan("55", "0", "BR"),
    plan("56", "", "CL"),
    plan("57", "", "CO"),
    plan("58", "0", "VE"),
    plan("590", "0", "GP BL MF"),
    plan("591", "0", "BO"),
    plan("592", "", "GY"),
    plan("593", "0", "EC"),
    plan("594", "0", "GF"),
    plan("595", "0", "PY"),
    plan("596", "0", "MQ"),
    plan("597", "", "SR"),
    plan("598", "0", "UY"),
    plan("599", "", "CW BQ"),
    plan("60", "0", "MY"),
    plan("61", "0", "AU CC CX"),
    plan("62", "0", "ID"),
    plan("63", "0", "PH"),
    plan("64", "0", "NZ PN"),
    plan("65", "", "SG"),
    plan("66", "0", "TH"),
    plan("670", "", "TL"),
    plan("672", "", "NF AQ"),
    plan("673", "", "BN"),
    plan("674", "", "NR"),
    plan("675", "", "PG"),
    plan("676", "", "TO"),
    plan("677", "", "SB"),
    plan("678", "", "VU"),
    plan("679", "", "FJ"),
    plan("680", "", "PW"),
    plan("681", "", "WF"),
    plan("682", "", "CK"),
    plan("683", "", "NU"),
    plan("685", "", "WS"),
    plan("686", "", "KI"),
    plan("687", "", "NC"),
    plan("688", "", "TV"),
    plan("689", "", "PF"),
    plan("690", "", "TK"),
    plan("691", "", "FM"),
    plan("692", "", "MH"),
    plan("7", "8", "RU KZ"),
    plan("81", "0", "JP"),
    plan("82", "0", "KR"),
    plan("84", "0", "VN"),
    plan("850", "0", "KP"),
    plan("852", "", "HK"),
    plan("853", "", "MO"),
    plan("855", "0", "KH"),
    plan("856", "0", "LA"),
    plan("86", "0", "CN"),
    plan("880", "0", "BD"),
    plan("886", "0", "TW"),
    plan("90", "0", "TR"),
    plan("91", "0", "IN"),
    plan("92", "0", "PK"),
    plan("93", "0", "AF"),
    plan("94", "0", "LK"),
    plan("95", "0", "MM"),
    plan("960", "", "MV"),
    plan("961", "0", "LB"),
    plan("962", "0", "JO"),
    plan("963", "0", "SY"),
    plan("964", "0", "IQ"),
    plan("965", "", "KW"),
    plan("966", "0", "SA"),
    plan("967", "0", "YE"),
    plan("968", "", "OM"),
    plan("970", "0", "PS"),
    plan("971", "0", "AE"),
    plan("972", "0", "IL"),
    plan("973", "", "BH"),
    plan("974", "", "QA"),
    plan("975", "", "BT"),
    plan("976", "0", "MN"),
    plan("977", "0", "NP"),
    plan("98", "0", "IR"),
    plan("992", "", "TJ"),
    plan("993", "8", "TM"),
    plan("994", "0", "AZ"),
    plan("995", "0", "GE"),
    plan("996", "0", "KG"),
    plan("998", "", "UZ"),
];

const fn plan(code: &'static str, trunk: &'static str, countries: &'static str) -> Plan {
    Plan { code, trunk, countries }
}
