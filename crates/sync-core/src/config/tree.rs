//! Reads YAML into a tree of nodes: aliases followed, merge keys merged, variables replaced, keys unique.

use std::{borrow::Cow, collections::BTreeMap};

use granit_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, Tag};

use super::{
    defaults,
    diagnostic::Code,
    interpolate::{Lookup, Reason, interpolate},
    node::{Entry, Node},
    report::{Finding, Hinted, Report},
    scalar::{Scalar, origin},
    span::Span,
    syntax,
};

/// The tree of `text`; `None` when it is not YAML at all, which is then reported.
pub(super) fn read(text: &str, lookup: &Lookup<'_>, report: &mut Report<'_>) -> Option<Node> {
    let mut reader = Reader {
        text,
        parser: Parser::new_from_str(text),
        lookup,
        anchors: BTreeMap::new(),
        budget: defaults::TREE_SIZE_MAX,
        report,
    };
    match reader.document() {
        Ok(node) => Some(node),
        Err(Stop::Syntax(error)) => {
            reader.report.add(syntax::finding(text, &error));
            None
        }
        Err(Stop::TooLarge(span)) => {
            reader
                .report
                .add(Finding::new(Code::TooLarge, span, "the file grows too large here").hint(
                    "it repeats too much by `*alias`: write the parts out or split the file",
                ));
            None
        }
    }
}

/// Why no tree can be had.
enum Stop {
    Syntax(ScanError),
    TooLarge(Span),
}

impl From<ScanError> for Stop {
    fn from(error: ScanError) -> Self {
        Self::Syntax(error)
    }
}

/// What the parser meets next, as far as a tree is concerned.
struct Piece<'t> {
    kind: PieceKind<'t>,
    span: Span,
    /// The anchor that the node defines.
    anchor: Option<usize>,
    tag: Option<Tag>,
}

enum PieceKind<'t> {
    Scalar(Cow<'t, str>, ScalarStyle),
    List,
    Map,
    Alias(usize),
    /// The end of a list, a map or the file.
    End,
    Document,
}

struct Reader<'t, 'r, 'i> {
    text: &'t str,
    parser: Parser<'t, StrInput<'t>>,
    lookup: &'r Lookup<'r>,
    anchors: BTreeMap<usize, Node>,
    /// How much more the tree may grow, in bytes and nodes.
    budget: usize,
    report: &'r mut Report<'i>,
}

impl<'t> Reader<'t, '_, '_> {
    fn next(&mut self) -> Result<Piece<'t>, Stop> {
        loop {
            let Some(next) = self.parser.next_event() else {
                let end = Span { start: self.text.len(), end: self.text.len() };
                return Ok(Piece { kind: PieceKind::End, span: end, anchor: None, tag: None });
            };
            let (event, span) = next?;
            let byte =
                |marker: granit_parser::Marker| marker.byte_offset().unwrap_or(self.text.len());
            let span = Span { start: byte(span.start), end: byte(span.end) };
            let (anchor, tag) = (event.anchor_id(), event.tag().cloned());
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "what carries no data is passed over"
            )]
            let kind = match event {
                Event::Scalar(text, style, ..) => PieceKind::Scalar(text, style),
                Event::SequenceStart(..) => PieceKind::List,
                Event::MappingStart(..) => PieceKind::Map,
                Event::Alias(id) => PieceKind::Alias(id),
                Event::SequenceEnd | Event::MappingEnd | Event::StreamEnd => PieceKind::End,
                Event::DocumentStart(..) => PieceKind::Document,
                _ => continue,
            };
            return Ok(Piece { kind, span, anchor, tag });
        }
    }

    /// The first document; a second one is an error, as it would be ignored.
    fn document(&mut self) -> Result<Node, Stop> {
        let mut root = None;
        loop {
            let piece = self.next()?;
            match piece.kind {
                PieceKind::End => break,
                PieceKind::Document if root.is_some() => {
                    self.report.add(
                        Finding::new(Code::YamlSyntax, piece.span, "a second document begins here")
                            .hint("keep everything in one document: remove this `---`"),
                    );
                    break;
                }
                PieceKind::Document => {}
                PieceKind::Scalar(..) | PieceKind::List | PieceKind::Map | PieceKind::Alias(_) => {
                    root = Some(self.node(piece)?);
                }
            }
        }
        Ok(root.unwrap_or_else(|| Node::Scalar(nothing(Span { start: 0, end: 0 }))))
    }

    /// The node that `piece` begins.
    fn node(&mut self, piece: Piece<'t>) -> Result<Node, Stop> {
        let Piece { kind, span, anchor, tag } = piece;
        self.spend(1, span)?;
        let mut node = match kind {
            PieceKind::Scalar(text, style) => self.scalar(&text, style, span, tag.as_ref())?,
            PieceKind::List => self.list(span)?,
            PieceKind::Map => self.map(span)?,
            PieceKind::Alias(id) => self.alias(id, span)?,
            PieceKind::End | PieceKind::Document => Node::Broken,
        };
        if let Some(tag) = tag.filter(Tag::is_custom) {
            let message = format!("the tag `{}` means nothing here", tag.original());
            self.report.add(Finding::new(Code::WrongType, span, message).hint("remove the tag"));
            node = Node::Broken;
        }
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<Node, Stop> {
        if let Some(node) = self.anchors.get(&id).cloned() {
            self.spend(size(&node), span)?;
            return Ok(node);
        }
        self.report.add(
            Finding::new(Code::YamlSyntax, span, "this alias stands inside what it names")
                .hint("write the part out instead"),
        );
        Ok(Node::Broken)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        span: Span,
        tag: Option<&Tag>,
    ) -> Result<Node, Stop> {
        self.spend(text.len(), span)?;
        let forced_text = tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
        if style == ScalarStyle::Plain && span.start == span.end && !forced_text {
            return Ok(Node::Scalar(nothing(span)));
        }
        let scalar = Scalar {
            text: text.to_owned(),
            span,
            typed: style == ScalarStyle::Plain && !forced_text,
            written: None,
            variables: Vec::new(),
            origin: origin(text, self.text, span, style),
        };
        let places = scalar.clone();
        Ok(match interpolate(scalar, self.lookup) {
            Ok(scalar) => Node::Scalar(scalar),
            Err(unresolved) => {
                for problem in unresolved {
                    let span = places.span_of(problem.part);
                    self.report.add(unresolved_finding(span, &problem.reason));
                }
                Node::Broken
            }
        })
    }

    fn list(&mut self, start: Span) -> Result<Node, Stop> {
        let mut items = Vec::new();
        loop {
            let piece = self.next()?;
            if matches!(piece.kind, PieceKind::End) {
                break;
            }
            items.push(self.node(piece)?);
        }
        let first = items.first().and_then(Node::span);
        Ok(Node::List { span: covering(start, first), items })
    }

    fn map(&mut self, start: Span) -> Result<Node, Stop> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged = Vec::new();
        loop {
            let piece = self.next()?;
            if matches!(piece.kind, PieceKind::End) {
                break;
            }
            let key_span = piece.span;
            let key = self.node(piece)?;
            let piece = self.next()?;
            let value = self.node(piece)?;
            match key {
                Node::Scalar(key) if key.typed && key.text == "<<" => {
                    self.merge(value, &mut merged);
                }
                Node::Scalar(key) => self.insert(&mut entries, Entry { key, value }),
                Node::Broken => {}
                Node::List { .. } | Node::Map { .. } => self.report.add(
                    Finding::new(Code::WrongType, key_span, "a key must be text")
                        .hint("put it in quotes if it is meant as text"),
                ),
            }
        }
        let first = entries.first().map(|entry| entry.key.span);
        for entry in merged {
            if !entries.iter().any(|own| own.key.text == entry.key.text) {
                entries.push(entry);
            }
        }
        Ok(Node::Map { span: covering(start, first), entries })
    }

    /// `<<: *base` or `<<: [*one, *two]`: entries that stand in for those not written.
    fn merge(&mut self, value: Node, merged: &mut Vec<Entry>) {
        match value {
            Node::Map { entries, .. } => merged.extend(entries),
            Node::List { items, .. } => {
                for item in items {
                    self.merge(item, merged);
                }
            }
            Node::Scalar(scalar) => self.report.add(
                Finding::new(Code::WrongType, scalar.span, "`<<` takes a mapping")
                    .hint("write `<<: *name`, where `&name` marks a mapping above"),
            ),
            Node::Broken => {}
        }
    }

    fn insert(&mut self, entries: &mut Vec<Entry>, entry: Entry) {
        if let Some(first) = entries.iter().find(|own| own.key.text == entry.key.text) {
            let message = format!("`{}` is given twice", entry.key.shown());
            self.report.add(
                Finding::new(Code::DuplicateKey, entry.key.span, message)
                    .label("again here")
                    .also(first.key.span, "first given here")
                    .hint("keep one of the two"),
            );
        } else {
            entries.push(entry);
        }
    }

    fn spend(&mut self, amount: usize, at: Span) -> Result<(), Stop> {
        self.budget = self.budget.checked_sub(amount).ok_or(Stop::TooLarge(at))?;
        Ok(())
    }
}

/// A scalar where nothing was written.
fn nothing(span: Span) -> Scalar {
    Scalar {
        text: String::new(),
        span,
        typed: true,
        written: None,
        variables: Vec::new(),
        origin: vec![span.start],
    }
}

/// Nodes and bytes of a tree.
fn size(node: &Node) -> usize {
    match node {
        Node::Scalar(scalar) => 1 + scalar.text.len(),
        Node::List { items, .. } => 1 + items.iter().map(size).sum::<usize>(),
        Node::Map { entries, .. } => {
            1 + entries
                .iter()
                .map(|entry| 1 + entry.key.text.len() + size(&entry.value))
                .sum::<usize>()
        }
        Node::Broken => 1,
    }
}

/// The bracket that begins a flow collection, or the first part of a block collection, which has no bracket.
fn covering(start: Span, first: Option<Span>) -> Span {
    if start.start < start.end { start } else { first.unwrap_or(start) }
}

fn unresolved_finding(span: Span, reason: &Reason) -> Hinted {
    match reason {
        Reason::Unset { name } => {
            let message = format!("the environment variable `{name}` is not set");
            Finding::new(Code::UnsetVariable, span, message).hint(format!(
                "set it, or give a default: `${{{name}:-default}}`; write `$${{` for a plain `${{`"
            ))
        }
        Reason::Malformed => Finding::new(Code::BadVariable, span, "this is not a variable")
            .hint("write `${NAME}` or `${NAME:-default}`, or `$${` for a plain `${`"),
    }
}
