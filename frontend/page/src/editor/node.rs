//! A node on the canvas: its essentials on itself.

use hopscope_markup::view;
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::edits::{Document, NodeRef, Target};
use hopscope_scenario::fields::{ValueType, chosen};
use hopscope_scenario::issue::Severity;
use hopscope_scenario::kinds::Kind;
use hopscope_scenario::protocol::Protocol;
use hopscope_scenario::quantity::Dimension;
use hopscope_scenario::text;
use hopscope_view::buffer::UNSEEN;
use hopscope_view::format;
use hopscope_view::geometry::{Rect, Schedule, node_rect, port, queue_bar, schedule, worker_boxes};
use leptos::prelude::*;
use serde_json::Value;

use super::keys::reveal;
use super::use_editor;
use crate::state::run::{NodeLevel, QueueLevel, Run, mark};
use crate::ui::memo;
use crate::ui::node::{Node, node};
use crate::ui::text::{columns, grouped, shortened, t, t_with};

/// Most columns of a node's head line, name and kind together.
const HEAD: usize = 20;

/// What a node says of itself, as its document has it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Facts {
    name: String,
    /// Its kind and how many replicas.
    kind: String,
    /// One line below.
    caption: String,
    /// A second one.
    more: String,
    /// A client's constant rate, in millionths per second.
    rate: Option<u64>,
    /// Replicas and workers of each.
    workers: Option<(u32, u32)>,
    /// Its kind, if it is a known one.
    of: Option<Kind>,
}

impl Facts {
    /// The box of its kind at the origin.
    fn rect(&self) -> Rect {
        node_rect(self.of.unwrap_or(Kind::Service), 0.0, 0.0)
    }
}

impl Facts {
    fn of(document: &Document, id: &str) -> Self {
        let Some(node) = document.node(id) else {
            return Self::default();
        };
        let facts = Self { name: node.name().to_owned(), of: node.kind(), ..Self::default() };
        match node.kind() {
            None => Self { kind: shown(node, "/kind"), ..facts },
            Some(Kind::Client) => Self {
                kind: t(text!("kind.client.inline")),
                caption: t_with(
                    text!("node.client.load"),
                    &[
                        ("load", &option(node, "load")),
                        ("rate", &first(node, &["/load/rate", "/load/to", "/load/users"])),
                    ],
                ),
                more: t_with(
                    text!("node.client.more"),
                    &[
                        ("in_flight", &first(node, &["/load/in_flight", "/load/users"])),
                        ("bytes", &shown(node, "/payload/bytes")),
                    ],
                ),
                // Only even distances are known before the run.
                rate: Dimension::Rate
                    .parse(&shown(node, "/load/rate"))
                    .ok()
                    .filter(|_| shown(node, "/load/kind") == "constant"),
                ..facts
            },
            Some(Kind::Queue) => Self {
                kind: t(if is_stream(node) { text!("node.stream") } else { text!("kind.queue.inline") }),
                caption: t_with(text!("node.queue.prefetch"), &[("prefetch", &shown(node, "/prefetch"))]),
                more: node.value().get("capacity").map_or_else(String::new, |_| {
                    t_with(text!("node.queue.capacity"), &[("capacity", &shown(node, "/capacity"))])
                }),
                ..facts
            },
            Some(Kind::Exchange) => {
                Self { kind: t(text!("kind.exchange.inline")), caption: shown(node, "/type"), ..facts }
            }
            Some(Kind::External) => Self { kind: t(text!("role.external")), ..facts },
            Some(Kind::Topic) => Self { kind: t(text!("kind.topic.inline")), caption: topic_caption(node), ..facts },
            Some(Kind::Service) => {
                let count = |pointer| node.value().pointer(pointer).and_then(Value::as_u64);
                let count = |pointer| count(pointer).and_then(|count| u32::try_from(count).ok());
                let replicas = count("/replicas").unwrap_or(1);
                let inline = t(text!("kind.service.inline"));
                let kind = if replicas > 1 { format!("{inline} ×{replicas}") } else { inline };
                let work = [("work", option(node, "work")), ("mean", shown(node, "/work/mean"))];
                let work: Vec<_> = work.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let workers = Some((replicas, count("/workers").unwrap_or(1)));
                Self { kind, caption: t_with(text!("node.service.work"), &work), workers, ..facts }
            }
        }
    }
}

/// How a topic's records are spread, and which of them it keeps.
fn topic_caption(node: NodeRef<'_>) -> String {
    let mut parts = vec![t_with(text!("node.topic.partitions"), &[("count", &shown(node, "/partitions"))])];
    if node.value().get("retention").is_some() {
        parts.push(t_with(text!("node.topic.kept"), &[("time", &shown(node, "/retention"))]));
    }
    if shown(node, "/compaction") == "on" {
        parts.push(t(text!("node.topic.newest")));
    }
    parts.join(" · ")
}

/// Whether what a queue takes stays there, for each that reads it.
fn is_stream(node: NodeRef<'_>) -> bool {
    node.value().get("durability").and_then(Value::as_str) == Some("stream")
}

/// A field as the document holds it; integers in groups of three.
fn shown(node: NodeRef<'_>, pointer: &str) -> String {
    match node.value().pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => grouped(&number.to_string()),
        _ => "–".to_owned(),
    }
}

/// The first of these fields that the document has.
fn first(node: NodeRef<'_>, pointers: &[&str]) -> String {
    let there = pointers.iter().find(|pointer| node.value().pointer(pointer).is_some());
    shown(node, there.copied().unwrap_or_default())
}

/// The label of the option that a variant field of the node has chosen.
fn option(node: NodeRef<'_>, field: &str) -> String {
    let label = || -> Option<Key> {
        let fields = node.kind()?.descriptor().fields;
        let ValueType::Variant { tag, options } = &fields.iter().find(|other| other.name == field)?.value else {
            return None;
        };
        Some(chosen(tag, options, node.value().get(field)?.as_object()?)?.label)
    };
    label().map_or_else(|| "?".to_owned(), t)
}

/// The node of an id.
#[component]
pub(crate) fn NodeView(id: String) -> impl IntoView {
    let editor = use_editor();
    let id = StoredValue::new(id);
    let rect = memo(move || {
        editor.scene.with(|scene| id.with_value(|id| scene.node(id).map(|node| node.rect).unwrap_or_default()))
    });
    let facts = memo(move || editor.with(|document| id.with_value(|id| Facts::of(document, id))));
    let selected = memo(move || editor.selection.with(|s| id.with_value(|id| s.nodes.contains(id))));
    let problems = memo(move || {
        let target = Target::Node(id.get_value());
        editor.problems.with(|problems| {
            let own = problems.iter().filter(|problem| problem.target == target);
            own.fold((0_usize, false), |(count, bad), p| (count + 1, bad || p.issue.severity == Severity::Error))
        })
    });
    // Whether a link that is being drawn points here, and may.
    let aimed = memo(move || {
        editor.aim.with(|aim| {
            let aim = aim.as_ref().filter(|aim| id.with_value(|id| aim.to == *id))?;
            Some(aim.refusal.is_none())
        })
    });
    let run = expect_context::<Run>();
    let mark = memo(move || {
        let mark = id.with_value(|id| mark(run, false, id))?;
        Some((mark.class, mark.words))
    });
    let label = move || {
        let (count, facts) = (problems.get().0.to_string(), facts.get());
        let key = if problems.get().0 == 0 { text!("node.label") } else { text!("node.label.faulty") };
        let label = t_with(
            key,
            &[("name", &facts.name), ("kind", &facts.kind), ("caption", &facts.caption), ("count", &count)],
        );
        mark.get().map_or_else(|| label.clone(), |(_, words)| format!("{label}, {words}"))
    };
    let marked = move || {
        mark.get().map(|(class, words)| view! { <text class=format!("mark {class}") x="2" y="-5">{words}</text> })
    };
    let of = memo(move || facts.with(|facts| facts.of));
    let knob_at = move || {
        let knob = port(node_rect(of.get().unwrap_or(Kind::Service), 0.0, 0.0));
        format!("translate({} {})", format::plain(knob.x), format::plain(knob.y))
    };
    view! {
        <g class="node" data-node=id.get_value() data-name=move || facts.with(|facts| facts.name.clone())
            tabindex="0" role="button" aria-label=label aria-pressed=move || selected.get().to_string()
            class:selected=move || selected.get() class:target=move || aimed.get() == Some(true) class:refused=move || aimed.get() == Some(false)
            class:faulty=move || problems.get().1
            data-mark=move || mark.get().map(|(class, _)| class)
            transform=move || { let at = rect.get(); format!("translate({} {})", format::plain(at.x), format::plain(at.y)) }
            on:focus=move |event| reveal(editor, &event, rect.get_untracked())>
            <Body facts/>
            <Levels id facts/>
            <QueueLevels id facts/>
            <Badge problems of/>
            {marked}
            <g class="port" class:closed=move || !of.get().is_none_or(Protocol::leave) data-port-of=id.get_value() transform=knob_at>
                <title>{move || t(port_tip(of.get()))}</title>
                <circle class="hit" r="13"></circle>
                <circle class="knob" r="4.5"></circle>
            </g>
        </g>
    }
}

#[component]
fn Body(facts: Memo<Facts>) -> impl IntoView {
    node(move || if facts.with(|facts| facts.of.is_some_and(Kind::keeps)) { queue_body(facts) } else { body(facts) })
}

/// A queue or a topic: its name, and the bar that its messages stand in.
fn queue_body(facts: Memo<Facts>) -> Node {
    let size = facts.with_untracked(Facts::rect);
    let bar = queue_bar(size);
    view! {
        <rect class="card" width=size.w height=size.h rx="8"></rect>
        <text class="nm" x="12" y="21">{move || facts.with(|facts| shortened(&facts.name, 20))}</text>
        <text class="m" x=size.w - 12.0 y="21" text-anchor="end">{move || facts.with(|facts| facts.kind.clone())}</text>
        <rect class="bar-of-queue" x=bar.x y=bar.y width=bar.w height=bar.h rx="3"></rect>
    }
}

fn body(facts: Memo<Facts>) -> Node {
    let size = facts.with_untracked(Facts::rect);
    view! {
        <rect class="card" width=size.w height=size.h rx="8"></rect>
        <text class="nm" x="12" y="22">{move || facts.with(|facts| shortened(&facts.name, HEAD.saturating_sub(columns(&facts.kind))))}</text>
        <text class="m" x="148" y="22" text-anchor="end">{move || facts.with(|facts| facts.kind.clone())}</text>
        <text class="s2" x="12" y="41">{move || facts.with(|facts| shortened(&facts.caption, 26))}</text>
        <text class="s2" x="12" y="57">{move || facts.with(|facts| shortened(&facts.more, 28))}</text>
        {move || facts.with(|facts| facts.rate).and_then(|rate| schedule(size, rate)).map(|it| marks(&it))}
    }
}

/// A client's requests within a window of its schedule, and how long that is.
fn marks(schedule: &Schedule) -> Node {
    let path: String = schedule.marks.iter().map(|x| format!("M{} 68V80", format::fixed(*x, 1))).collect();
    let window = Dimension::Time.print(schedule.window);
    view! {
        <path class="schedule" d=path></path>
        <text class="m" x="148" y="93" text-anchor="end">{t_with(text!("node.client.window"), &[("window", &window)])}</text>
    }
}

/// What is told in numbers of a service's messages.
#[derive(Clone, Copy, PartialEq)]
struct Counts {
    /// Workers that are held, of all replicas.
    busy: u32,
    /// Workers that there are.
    workers: u32,
    /// Messages that wait for one.
    waiting: u32,
}

/// A service's workers, the held ones filled, and during a run how many messages it holds.
#[component]
fn Levels(id: StoredValue<String>, facts: Memo<Facts>) -> impl IntoView {
    let run = expect_context::<Run>();
    let workers = memo(move || facts.with(|facts| facts.workers));
    let level = memo(move || run.levels.with(|levels| id.with_value(|id| levels.get(id).cloned())));
    // The boxes are drawn anew when one is taken or left, and not for each message that comes to wait.
    let held = memo(move || {
        let (replicas, workers) = workers.get()?;
        let busy =
            level.with(|level| level.as_ref().map(|level| level.busy.iter().map(|busy| workers.min(*busy)).collect()));
        Some((replicas, workers, busy.unwrap_or_default()))
    });
    let counts = memo(move || {
        let (replicas, workers) = workers.get()?;
        let (busy, waiting) =
            level.with(|level| level.as_ref().map(|level| (level.busy.iter().sum(), level.waiting)))?;
        Some(Counts { busy, workers: replicas.saturating_mul(workers), waiting })
    });
    let count = move |of: fn(Counts) -> u32| grouped(&counts.get().map_or(0, of).to_string());
    let (busy, all, waiting) =
        (move || count(|it| it.busy), move || count(|it| it.workers), move || count(|it| it.waiting));
    let known = memo(move || counts.with(Option::is_some));
    let figures = move || {
        known.get().then(|| {
            view! {
                <text class="m" x="12" y="91" data-busy=busy>
                    {move || t_with(text!("node.busy"), &[("held", &busy()), ("all", &all())])}
                </text>
                <text class="m" x="148" y="91" text-anchor="end" data-waiting=waiting>
                    {move || t_with(text!("node.waiting"), &[("count", &waiting())])}
                </text>
            }
        })
    };
    view! {
        {move || held.get().map(|(replicas, workers, busy): (u32, u32, Vec<u32>)| boxes(replicas, workers, &busy))}
        {figures}
    }
}

/// What a queue's port is for; else what a port of that kind is.
fn port_tip(kind: Option<Kind>) -> Key {
    match kind {
        Some(Kind::Queue | Kind::Topic) => text!("node.port.queue"),
        Some(Kind::Exchange) => text!("node.port.exchange"),
        _ => text!("node.port"),
    }
}

/// A queue's length before and after its last step and the age of its oldest message during a run, or how far the groups of a
/// topic or the readers of a stream are behind; else its limits.
#[component]
fn QueueLevels(id: StoredValue<String>, facts: Memo<Facts>) -> impl IntoView {
    let run = expect_context::<Run>();
    let level =
        memo(move || run.levels.with(|levels| id.with_value(|id| levels.get(id).and_then(|level| level.queue))));
    let line = move |left: String, right: String| {
        let size = facts.with_untracked(Facts::rect);
        let level = level.get();
        view! {
            <text class="m" x="12" y="61" data-ready=level.map(|level| level.after.to_string())
                data-unacked=level.filter(|level| level.unacked != UNSEEN).map(|level| level.unacked.to_string())>{left}</text>
            <text class="m" x=size.w - 12.0 y="61" text-anchor="end">{right}</text>
        }
    };
    let lags = memo(move || {
        let lag = |(name, lag): &(String, u32)| format!("{name} {}", grouped(&lag.to_string()));
        let of = |level: &NodeLevel| level.groups.iter().map(lag).collect::<Vec<_>>().join(" · ");
        run.levels.with(|levels| id.with_value(|id| levels.get(id).map(of))).filter(|lags| !lags.is_empty())
    });
    node(move || {
        let of = facts.with(|facts| facts.of);
        // What is read from a topic or a stream stays there: not its length is what a person looks for, but who is behind.
        if of == Some(Kind::Topic) || lags.with(Option::is_some) {
            return Some(view! {
                <text class="m" x="12" y="61" data-lags=lags.get()>{match lags.get() {
                    Some(lags) => shortened(&t_with(text!("node.topic.lag"), &[("lags", &lags)]), 32),
                    None => facts.with(|facts| shortened(&facts.caption, 32)),
                }}</text>
            });
        }
        if of != Some(Kind::Queue) {
            return None;
        }
        let Some(QueueLevel { before, after, unacked, oldest }) = level.get() else {
            return Some(facts.with(|facts| line(facts.caption.clone(), facts.more.clone())));
        };
        let count = |count: u32| grouped(&count.to_string());
        let left = t_with(text!("node.queue.length"), &[("before", &count(before)), ("after", &count(after))]);
        let right = match oldest {
            Some(age) => t_with(text!("node.queue.oldest"), &[("age", &format::duration(age))]),
            // A broker that is not ours does not tell.
            None if unacked == UNSEEN => String::new(),
            None => t_with(text!("node.queue.unacked"), &[("count", &count(unacked))]),
        };
        Some(line(left, right))
    })
}

/// The boxes of the workers; `busy` says how many are held, by replica.
fn boxes(replicas: u32, workers: u32, busy: &[u32]) -> Node {
    let drawn = worker_boxes(node_rect(Kind::Service, 0.0, 0.0), replicas, workers);
    let each = drawn.workers_per_box == 1;
    let held = |index: usize| {
        let (replica, worker) = (index / workers.max(1) as usize, index as u32 % workers.max(1));
        if each { busy.get(replica).is_some_and(|busy| worker < *busy) } else { busy.iter().any(|busy| *busy > 0) }
    };
    let worker = |(index, rect): (usize, &Rect)| {
        let class = if held(index) { "worker held" } else { "worker" };
        view! { <rect class=class x=rect.x y=rect.y width=rect.w height=rect.h rx="2"></rect> }
    };
    drawn.boxes.iter().enumerate().map(worker).collect::<Node>()
}

/// How many problems a node has, at its corner.
#[component]
fn Badge(problems: Memo<(usize, bool)>, of: Memo<Option<Kind>>) -> impl IntoView {
    node(move || {
        let (count, _) = problems.get();
        (count > 0).then(|| {
            view! {
                <g class="badge" transform=format!("translate({} 0)", format::plain(port(node_rect(of.get().unwrap_or(Kind::Service), 0.0, 0.0)).x - 10.0))>
                    <rect x="-9" y="-9" width="18" height="18" rx="9"></rect>
                    <text x="0" y="4" text-anchor="middle">{count}</text>
                </g>
            }
        })
    })
}
