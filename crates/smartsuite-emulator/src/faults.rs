//! Faults by route, count, probability and script, before or after the effect (point 13).

use bytes::Bytes;
use http::Request;
use serde::{Deserialize, Serialize};

use crate::dice::Dice;
use crate::route::RouteKind;

/// Whether a fault strikes before the request takes effect (so that it never does) or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// The request has no effect.
    #[default]
    Before,
    /// The effect stays, the answer is lost: the ambiguous write.
    After,
}

/// How a connection ends whose request takes effect later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LateEnd {
    /// It is reset.
    #[default]
    Reset,
    /// It hears nothing.
    Never,
    /// It is answered 504 by a gateway.
    GatewayTimeout,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// That status with an HTML page.
    Status(u16),
    /// The bot challenge `Just a moment` as HTML with that status (200, 403 or 503).
    Challenge(u16),
    /// The connection is reset.
    Reset,
    /// No answer ever.
    Never,
    /// So many milliseconds pass: before the effect, or between it and the answer.
    DelayMs(u64),
    /// The effect comes so many milliseconds after the connection has ended.
    Late {
        /// Milliseconds until the effect.
        ms: u64,
        /// How the connection ends, at once.
        #[serde(default)]
        end: LateEnd,
    },
    /// The body breaks off after so many bytes.
    Truncate(usize),
    /// The answer leaves out so many of its items.
    ShortAnswer(usize),
    /// 429, and the key is locked out as after any other.
    RateLimit,
    /// Every notification that the request causes is sent so many times more.
    DuplicatePings(u32),
}

/// One or several kinds of call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Routes {
    One(String),
    Several(Vec<RouteKind>),
}

/// A fault and the requests it strikes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What happens.
    pub fault: FaultKind,
    /// Before or after the effect.
    #[serde(default)]
    pub when: When,
    /// A kind of call, a list of kinds, or `any`.
    #[serde(default = "any_route")]
    route: Routes,
    /// Only this method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only paths that contain this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_contains: Option<String>,
    /// Only requests whose body contains this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_contains: Option<String>,
    /// Only bulk calls of more items than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items_above: Option<usize>,
    /// Matching requests that pass before the first is struck.
    #[serde(default)]
    pub skip: u64,
    /// How many are struck: one, unless it says otherwise; none means all.
    #[serde(default)]
    times: Times,
    /// The share of matching requests that is struck, by the emulator's seeded chance.
    #[serde(default = "always")]
    pub probability: f64,
    #[serde(skip)]
    seen: u64,
    #[serde(skip)]
    struck: u64,
}

fn any_route() -> Routes {
    Routes::One("any".to_owned())
}

/// How often a fault strikes; none means always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Times(Option<u64>);

impl Default for Times {
    fn default() -> Self {
        Self(Some(1))
    }
}

fn always() -> f64 {
    1.0
}

impl Fault {
    /// Strikes the next call of any kind, once, before its effect.
    pub fn new(fault: FaultKind) -> Self {
        Self {
            fault,
            when: When::Before,
            route: any_route(),
            method: None,
            path_contains: None,
            body_contains: None,
            items_above: None,
            skip: 0,
            times: Times::default(),
            probability: 1.0,
            seen: 0,
            struck: 0,
        }
    }

    /// Strikes calls of these kinds.
    #[must_use]
    pub fn on(mut self, routes: &[RouteKind]) -> Self {
        self.route = Routes::Several(routes.to_vec());
        self
    }

    /// Strikes requests whose body contains this text.
    #[must_use]
    pub fn where_body_contains(mut self, text: &str) -> Self {
        self.body_contains = Some(text.to_owned());
        self
    }

    /// Strikes bulk calls of more items than this.
    #[must_use]
    pub fn where_items_above(mut self, items: usize) -> Self {
        self.items_above = Some(items);
        self
    }

    /// Strikes after the effect.
    #[must_use]
    pub fn after_the_effect(mut self) -> Self {
        self.when = When::After;
        self
    }

    /// Lets so many matching requests pass first.
    #[must_use]
    pub fn skip(mut self, requests: u64) -> Self {
        self.skip = requests;
        self
    }

    /// Strikes so many requests; none means all.
    #[must_use]
    pub fn times(mut self, times: Option<u64>) -> Self {
        self.times = Times(times);
        self
    }

    /// Strikes this share of matching requests.
    #[must_use]
    pub fn probability(mut self, share: f64) -> Self {
        self.probability = share;
        self
    }

    fn matches(&self, request: &Request<Bytes>, route: RouteKind) -> bool {
        let (method, path, body) = (request.method(), request.uri().path(), request.body());
        let is_route = match &self.route {
            Routes::One(name) => name == "any" || *name == route.to_string(),
            Routes::Several(routes) => routes.contains(&route),
        };
        is_route
            && self.method.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(method.as_str()))
            && self.path_contains.as_ref().is_none_or(|part| path.contains(part.as_str()))
            && self.body_contains.as_ref().is_none_or(|text| contains(body, text))
            && self.items_above.is_none_or(|most| items(body) > most)
    }

    /// What the log calls it.
    pub(crate) fn label(&self) -> String {
        let kind = serde_json::to_string(&self.fault).unwrap_or_default();
        let when = if self.when == When::Before { "before" } else { "after" };
        format!("{} {when}", kind.trim_matches('"'))
    }
}

/// A script: the file of `--faults` and the body of `/_emulator/faults`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultScript {
    /// The faults; the first that matches strikes.
    pub faults: Vec<Fault>,
}

/// Why a script is refused.
#[derive(Debug, thiserror::Error)]
#[error("fault script: {0}")]
pub struct FaultScriptError(String);

impl FaultScript {
    /// Reads a script: `{"faults": [...]}`, a bare array, or one fault.
    pub fn from_json(text: &[u8]) -> Result<Self, FaultScriptError> {
        let wrong = |error: serde_json::Error| FaultScriptError(error.to_string());
        let value: serde_json::Value = serde_json::from_slice(text).map_err(wrong)?;
        let script: Self = match value {
            serde_json::Value::Array(_) => {
                Self { faults: serde_json::from_value(value).map_err(wrong)? }
            }
            other if other.get("faults").is_some() => {
                serde_json::from_value(other).map_err(wrong)?
            }
            other => Self { faults: vec![serde_json::from_value(other).map_err(wrong)?] },
        };
        script.faults.iter().try_for_each(check)?;
        Ok(script)
    }

    /// The fault that strikes a request, if one does.
    pub(crate) fn strike(
        &mut self,
        dice: &mut Dice,
        request: &Request<Bytes>,
        route: RouteKind,
    ) -> Option<Fault> {
        for fault in &mut self.faults {
            if !fault.matches(request, route) {
                continue;
            }
            fault.seen += 1;
            let is_spent = fault.times.0.is_some_and(|times| fault.struck >= times);
            if fault.seen <= fault.skip || is_spent || !dice.chance(fault.probability) {
                continue;
            }
            fault.struck += 1;
            return Some(fault.clone());
        }
        None
    }
}

fn contains(body: &[u8], text: &str) -> bool {
    text.is_empty() || body.windows(text.len()).any(|part| part == text.as_bytes())
}

/// How many items a bulk call has; 0 for any other.
fn items(body: &[u8]) -> usize {
    let body: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let items = body.as_ref().and_then(|body| body.get("items")?.as_array());
    items.map_or(0, Vec::len)
}

fn check(fault: &Fault) -> Result<(), FaultScriptError> {
    let wrong = |said: String| Err(FaultScriptError(said));
    if let Routes::One(name) = &fault.route {
        let known = serde_json::from_value::<RouteKind>(name.clone().into()).is_ok();
        if name != "any" && !known {
            return wrong(format!("there is no route `{name}`"));
        }
    }
    match fault.fault {
        FaultKind::Status(status) | FaultKind::Challenge(status)
            if !(200..=599).contains(&status) =>
        {
            wrong(format!("{status} is not a status that an answer can have"))
        }
        _ if !(0.0..=1.0).contains(&fault.probability) => {
            wrong("a probability lies between 0 and 1".to_owned())
        }
        _ => Ok(()),
    }
}
