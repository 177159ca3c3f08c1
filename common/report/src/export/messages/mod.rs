//! The recording as a table with a row for each message and attempt; docs/recording-csv.md tells the columns.
//!
//! A row is written as soon as nothing more can come for it, so memory holds the messages that are under way. Of an
//! attempt that was given up, or a delivery that nobody may have received, nobody can tell whether something will follow:
//! the latest [`MOST_DOUBTFUL`] of those are held back, and what comes later still makes a row of its own.

mod row;

use std::collections::{BTreeMap, VecDeque};

use hopscope_record::frame::MessageRow;
use hopscope_record::kind::Attempt;
use hopscope_record::{Event, Kind, KindInfo, MessageId};
use hopscope_scenario::plan::Plan;

use self::row::{COLUMNS, Row, Stage};
use super::fields::Fields;
use super::table::put_heading;
use super::{Encoder, ExportError, Format, Parts};

/// One row per message and attempt.
pub(super) static CSV_MESSAGES: Format =
    Format { id: "csv-messages", media_type: "text/csv; charset=utf-8", extension: "messages.csv", text: true, begin };

/// Most rows that are held back though nothing more may come for them.
const MOST_DOUBTFUL: usize = 10_000;

fn begin(parts: &Parts<'_>, out: &mut Vec<u8>) -> Result<Box<dyn Encoder>, ExportError> {
    put_heading(COLUMNS, out);
    Ok(Box::new(Messages {
        fields: Fields::new(parts.hello, parts.plan, parts.names),
        ends: Ends::new(parts.plan),
        rows: BTreeMap::new(),
        doubtful: VecDeque::new(),
    }))
}

struct Messages {
    fields: Fields,
    ends: Ends,
    /// Rows that are not written, by message and attempt.
    rows: BTreeMap<MessageId, Row>,
    /// Those that perhaps are complete, the longest first. What was written since is passed over.
    doubtful: VecDeque<MessageId>,
}

/// For each link the ids of the nodes at its ends.
pub(super) struct Ends(Vec<(String, String)>);

impl Ends {
    fn new(plan: &Plan) -> Self {
        let node = |node: u32| plan.nodes.get(node as usize).map(|node| node.id.clone()).unwrap_or_default();
        Self(plan.links.iter().map(|link| (node(link.from), node(link.to))).collect())
    }

    /// From where and to where.
    fn of(&self, link: u16) -> (&str, &str) {
        self.0.get(usize::from(link)).map_or(("", ""), |(from, to)| (from, to))
    }
}

/// Whether a kind fills a column.
fn concerns(info: &KindInfo) -> bool {
    let receivers = [Kind::INTENDED, Kind::NOT_SENT, Kind::RECEIVED, Kind::STARTED, Kind::FINISHED, Kind::REPLIED];
    info.attempt != Attempt::None || receivers.contains(&info.kind)
}

impl Encoder for Messages {
    fn event(&mut self, event: &Event, carries: Option<&MessageRow>, out: &mut Vec<u8>) {
        let Some(info) = self.fields.kind(event.kind).1.filter(|info| concerns(info)) else { return };
        if event.message.is_none() {
            return;
        }
        let row = self.rows.entry(event.message).or_insert_with(|| Row::new(event));
        row.take(event, info);
        row.carry(carries);
        match row.stage() {
            Stage::Open => {}
            Stage::Complete => self.write(event.message, out),
            Stage::Doubtful => {
                if row.hold_back() {
                    self.doubtful.push_back(event.message);
                }
                while self.doubtful.len() > MOST_DOUBTFUL
                    && let Some(longest) = self.doubtful.pop_front()
                {
                    // One that went on since is under way.
                    if self.rows.get(&longest).is_some_and(|row| row.stage() == Stage::Doubtful) {
                        self.write(longest, out);
                    }
                }
            }
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        for message in self.rows.keys().copied().collect::<Vec<_>>() {
            self.write(message, out);
        }
    }
}

impl Messages {
    fn write(&mut self, message: MessageId, out: &mut Vec<u8>) {
        if let Some(row) = self.rows.remove(&message) {
            row.write(&self.fields, &self.ends, out);
        }
    }
}
