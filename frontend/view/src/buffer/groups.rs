//! How far the groups that read topics are behind, over time, by the word of their brokers.

use hopscope_record::kind::LagReport;
use hopscope_record::{Event, Kind, PlaceIndex};
use hopscope_scenario::plan::{Plan, PlanGroup, PlanTopic};

/// A group, and its lag over all partitions whenever that was another.
#[derive(Clone, Debug)]
pub struct GroupLog {
    /// The topic's node.
    pub node: u32,
    /// What a person calls the group: who reads.
    pub name: String,
    first: PlaceIndex,
    lags: Vec<u32>,
    rows: Vec<(i64, u32)>,
}

impl GroupLog {
    /// Records that it has yet to commit at a time; `None` before its broker was asked first.
    #[must_use]
    pub fn at(&self, time: i64) -> Option<u32> {
        let row = self.rows.partition_point(|(then, _)| *then <= time).checked_sub(1)?;
        self.rows.get(row).map(|(_, lag)| *lag)
    }

    /// The lag in each partition by the last word of all.
    #[must_use]
    pub fn lags(&self) -> &[u32] {
        &self.lags
    }
}

/// Every group of a run.
#[derive(Debug)]
pub struct Groups(Vec<GroupLog>);

impl Groups {
    pub(super) fn new(plan: &Plan) -> Self {
        let log = |topic: &PlanTopic, group: &PlanGroup| GroupLog {
            node: topic.node,
            name: plan.group_name(*group).to_owned(),
            first: PlaceIndex(group.first_place),
            lags: vec![0; topic.partitions.into()],
            rows: Vec::new(),
        };
        Self(plan.topics.iter().flat_map(|topic| topic.groups.iter().map(move |group| log(topic, group))).collect())
    }

    pub(super) fn logs(&self) -> &[GroupLog] {
        &self.0
    }

    /// Takes an event, if it is the word of a broker of topics.
    pub(super) fn apply(&mut self, event: &Event) {
        if event.kind != Kind::LAG_REPORTED {
            return;
        }
        for log in &mut self.0 {
            let number = event.place.0.checked_sub(log.first.0).and_then(|number| usize::try_from(number).ok());
            let Some(lag) = number.and_then(|number| log.lags.get_mut(number)) else { continue };
            *lag = LagReport::from_value(event.a).lag();
            let sum = log.lags.iter().fold(0, |sum: u32, lag| sum.saturating_add(*lag));
            if log.rows.last().is_none_or(|(_, last)| *last != sum) {
                log.rows.push((event.time, sum));
            }
        }
    }
}
