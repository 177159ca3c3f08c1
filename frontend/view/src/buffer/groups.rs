//! How far those that read a log are behind, over time: groups that read topics, by the word of their brokers, and readers of streams, by
//! what they have read and how long their broker says that the stream is.

use hopscope_record::kind::{DepthReport, LagReport};
use hopscope_record::{Event, Kind, LinkIndex, PlaceIndex};
use hopscope_scenario::model::Durability;
use hopscope_scenario::plan::{Plan, PlanGroup, PlanQueue, PlanTopic};

/// A group or a reader, and its lag whenever that was another.
#[derive(Clone, Debug)]
pub struct GroupLog {
    /// The node of the topic or the stream.
    pub node: u32,
    /// What a person calls it: who reads.
    pub name: String,
    rows: Vec<(i64, u32)>,
}

impl GroupLog {
    fn new(node: u32, name: &str) -> Self {
        Self { node, name: name.to_owned(), rows: Vec::new() }
    }

    /// Records that it has yet to commit, over all partitions, or yet to read, at a time; `None` before its broker was asked first.
    #[must_use]
    pub fn at(&self, time: i64) -> Option<u32> {
        let row = self.rows.partition_point(|(then, _)| *then <= time).checked_sub(1)?;
        self.rows.get(row).map(|(_, lag)| *lag)
    }

    fn set(&mut self, time: i64, lag: u32) {
        if self.rows.last().is_none_or(|(_, last)| *last != lag) {
            self.rows.push((time, lag));
        }
    }
}

/// A group's partitions.
#[derive(Debug)]
struct Partitions {
    first: PlaceIndex,
    lags: Vec<u32>,
}

/// A stream and its readers.
#[derive(Debug)]
struct Stream {
    place: PlaceIndex,
    /// Records in it, as far as is known.
    length: u64,
    /// The row of the first reader among all logs; the others follow.
    first: usize,
    /// Each by its link, and the record that it reads next.
    readers: Vec<(LinkIndex, u64)>,
}

/// Every group and every reader of a run.
#[derive(Debug)]
pub struct Groups {
    /// First the groups, as `partitions` has them, then the readers.
    logs: Vec<GroupLog>,
    partitions: Vec<Partitions>,
    streams: Vec<Stream>,
}

impl Groups {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut of = Self { logs: Vec::new(), partitions: Vec::new(), streams: Vec::new() };
        for topic in &plan.topics {
            topic.groups.iter().for_each(|group| of.add_group(plan, topic, *group));
        }
        plan.queues
            .iter()
            .filter(|queue| queue.durability == Durability::Stream)
            .for_each(|it| of.add_stream(plan, it));
        of
    }

    fn add_group(&mut self, plan: &Plan, topic: &PlanTopic, group: PlanGroup) {
        self.logs.push(GroupLog::new(topic.node, plan.group_name(group)));
        let lags = vec![0; topic.partitions.into()];
        self.partitions.push(Partitions { first: PlaceIndex(group.first_place), lags });
    }

    fn add_stream(&mut self, plan: &Plan, queue: &PlanQueue) {
        let first = self.logs.len();
        let links = (0..).map(LinkIndex).zip(&plan.links).filter(|(_, link)| link.from == queue.node);
        let (readers, nodes): (_, Vec<_>) = links.map(|(at, link)| ((at, 0), link.to)).unzip();
        let names = nodes.iter().map(|node| plan.nodes.get(*node as usize).map_or("", |node| node.name.as_str()));
        self.logs.extend(names.map(|name| GroupLog::new(queue.node, name)));
        self.streams.push(Stream { place: PlaceIndex(queue.place), length: 0, first, readers });
    }

    pub(super) fn logs(&self) -> &[GroupLog] {
        &self.logs
    }

    /// Takes an event, if it is the word of a broker, or one that a reader of a stream has read.
    pub(super) fn apply(&mut self, event: &Event) {
        match event.kind {
            Kind::LAG_REPORTED => self.lag_of_a_partition(event),
            Kind::DEPTH_REPORTED => self.length_of_a_stream(event),
            Kind::FETCHED => self.read_from_a_stream(event),
            _ => {}
        }
    }

    fn lag_of_a_partition(&mut self, event: &Event) {
        for (log, of) in self.logs.iter_mut().zip(&mut self.partitions) {
            let number = event.place.0.checked_sub(of.first.0).and_then(|number| usize::try_from(number).ok());
            let Some(lag) = number.and_then(|number| of.lags.get_mut(number)) else { continue };
            *lag = LagReport::from_value(event.a).lag();
            log.set(event.time, of.lags.iter().fold(0, |sum: u32, lag| sum.saturating_add(*lag)));
        }
    }

    fn length_of_a_stream(&mut self, event: &Event) {
        let Some(stream) = self.streams.iter_mut().find(|stream| stream.place == event.place) else { return };
        // It is asked some time before: what was read since then was there.
        stream.length = stream.length.max(DepthReport::from_value(event.a).ready.into());
        stream.tell(&mut self.logs, event.time);
    }

    fn read_from_a_stream(&mut self, event: &Event) {
        let reads = |stream: &Stream| stream.readers.iter().position(|(link, _)| *link == event.link);
        let found = self.streams.iter_mut().find_map(|stream| Some((reads(stream)?, stream)));
        let Some((reader, stream)) = found else { return };
        let next = event.a.saturating_add(1);
        stream.length = stream.length.max(next);
        if let Some((_, due)) = stream.readers.get_mut(reader) {
            *due = next;
        }
        stream.tell(&mut self.logs, event.time);
    }
}

impl Stream {
    /// Says how far each reader is behind.
    fn tell(&self, logs: &mut [GroupLog], time: i64) {
        let lags = self.readers.iter().map(|(_, next)| self.length.saturating_sub(*next));
        for (log, lag) in logs.iter_mut().skip(self.first).zip(lags) {
            log.set(time, u32::try_from(lag).unwrap_or(u32::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use hopscope_scenario::plan::{RunSettings, compile};
    use hopscope_scenario::validate::validate;
    use serde_json::json;

    use super::*;

    /// A stream that two services read.
    fn plan() -> Plan {
        let work = json!({"distribution": "constant", "mean": "1 ms"});
        let service = |id: &str| json!({"id": id, "kind": "service", "name": id, "work": work});
        let document = json!({
            "format": "hopscope-scenario", "version": 1, "name": "two readers",
            "nodes": [{"id": "c", "kind": "client", "name": "c", "load": {"kind": "constant", "rate": "1/s"}},
                {"id": "s", "kind": "queue", "name": "s", "durability": "stream"}, service("one"), service("other")],
            "links": [{"id": "l1", "from": "c", "to": "s", "protocol": "amqp"},
                {"id": "l2", "from": "s", "to": "one", "protocol": "amqp"},
                {"id": "l3", "from": "s", "to": "other", "protocol": "amqp"}]});
        compile(&validate(&document.to_string()).unwrap().scenario, &RunSettings::default())
    }

    #[test]
    fn each_reader_of_a_stream_is_behind_by_what_it_has_yet_to_read() {
        let plan = plan();
        let place = PlaceIndex(plan.queues[0].place);
        let mut groups = Groups::new(&plan);
        let behind = |groups: &Groups, time| groups.logs().iter().map(|log| log.at(time)).collect::<Vec<_>>();
        let names: Vec<_> = groups.logs().iter().map(|log| log.name.as_str()).collect();
        assert_eq!(names, ["one", "other"]);
        let length = DepthReport { ready: 3, consumers: 2 }.to_value();
        groups.apply(&Event { place, a: length, ..Event::new(10, Kind::DEPTH_REPORTED) });
        let read = |time, link, a| Event { link: LinkIndex(link), a, ..Event::new(time, Kind::FETCHED) };
        [read(20, 1, 0), read(21, 1, 1), read(22, 2, 0)].iter().for_each(|event| groups.apply(event));
        // One that came after the broker was asked.
        groups.apply(&read(30, 1, 3));
        // It begins again.
        groups.apply(&read(40, 2, 0));
        assert_eq!(behind(&groups, 9), [None, None]);
        assert_eq!(behind(&groups, 10), [Some(3), Some(3)]);
        assert_eq!(behind(&groups, 22), [Some(1), Some(2)]);
        assert_eq!(behind(&groups, 40), [Some(0), Some(3)]);
        // That of a topic's group, and of another queue, says nothing here.
        groups.apply(&Event { place: PlaceIndex(0), ..Event::new(50, Kind::LAG_REPORTED) });
        groups.apply(&Event { place: PlaceIndex(0), a: length, ..Event::new(50, Kind::DEPTH_REPORTED) });
        assert_eq!(behind(&groups, 50), [Some(0), Some(3)]);
    }
}
