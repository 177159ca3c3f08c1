//! What became of the effects, as lines and as JSON.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use hopscope_record::TraceId;
use hopscope_report::effects::{AccountReport, EffectReport, EffectsReport, TransferReport, Words, name};
use hopscope_report::traces::Named;
use hopscope_scenario::catalogue::plain;
use hopscope_scenario::plan::PlanEffect;
use hopscope_scenario::text;
use serde_json::{Value, json};

use super::Report;
use super::document::{latency, node_id};
use super::lines::{INDENT, indented};
use crate::figures::whole;
use crate::say::{LANGUAGE, word};

/// What is said below the heading of the effects; nothing of a run without any.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let (effects, found) = (report.stats.effects(), report.stats.effects_report());
    if effects.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![indented(&table(report, &found).trim_fmt())];
    lines.extend(notes(report).iter().map(|line| format!("{INDENT}{line}")));
    lines
}

/// The traces of effects that did not go as one would want, what the accounts and transfers came to, and how long traces went on
/// after their answer; nothing of a run without effects.
pub(super) fn notes(report: &Report) -> Vec<String> {
    let (effects, found) = (report.stats.effects(), report.stats.effects_report());
    if effects.is_empty() {
        return Vec::new();
    }
    let told = found.effects.iter().zip(effects.rows()).flat_map(|(found, row)| named(report, found, row));
    let accounts = found.accounts.iter().map(|account| say(&account.words()));
    let transfers = found.transfers.iter().map(|transfer| {
        let Named { count, traces } = &transfer.unbalanced;
        in_traces(say(&transfer.words()), traces, *count)
    });
    let longest: Vec<_> = found.stale.longest.first().map(|(trace, _)| *trace).into_iter().collect();
    let stale = in_traces(say(&found.stale.words()), &longest, 1);
    told.chain(accounts).chain(transfers).chain([stale]).collect()
}

fn say((key, args): &Words) -> String {
    plain(LANGUAGE, *key, args)
}

fn table(report: &Report, found: &EffectsReport) -> Table {
    let mut table = Table::new();
    let titles = [
        text!("step.effect"),
        text!("effects.wanted"),
        text!("effects.never"),
        text!("effects.once"),
        text!("effects.more"),
        text!("effects.repeated"),
    ];
    table.load_style(NOTHING).set_header(titles.map(word));
    for (effect, row) in found.effects.iter().zip(report.stats.effects().rows()) {
        let EffectReport { never, once, more, repeated, .. } = effect;
        let counts = [effect.wanted(), never.count, once.count, more.count, repeated.count].map(whole);
        table.add_row(std::iter::once(say(&name(&report.plan, row))).chain(counts));
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

/// The traces of an effect that did not go as one would want.
fn named(report: &Report, found: &EffectReport, row: &PlanEffect) -> Vec<String> {
    let wrong = [(text!("effects.never"), &found.never), (text!("effects.more"), &found.more)];
    let name = say(&name(&report.plan, row));
    let line = |(key, named): (_, &Named)| in_traces(format!("{name}: {}", word(key)), &named.traces, named.count);
    wrong.into_iter().filter(|(_, named)| named.count > 0).map(line).collect()
}

/// What is said, and of which traces; nothing of these where there are none.
fn in_traces(text: String, traces: &[TraceId], count: u64) -> String {
    if traces.is_empty() {
        return text;
    }
    let ids: Vec<_> = traces.iter().map(|trace| id(*trace)).collect();
    let more = count.saturating_sub(traces.len() as u64);
    let key = if more == 0 { text!("cli.effect.traces") } else { text!("cli.effect.traces.more") };
    crate::say::say(key, [("text", text), ("traces", ids.join(", ")), ("count", whole(more))])
}

fn id(trace: TraceId) -> String {
    format!("{:016x}", trace.0)
}

/// The same as JSON; null of a run without effects.
pub(super) fn value(report: &Report) -> Value {
    let effects = report.stats.effects();
    if effects.is_empty() {
        return Value::Null;
    }
    let found = report.stats.effects_report();
    let effect = |(found, row): (&EffectReport, &PlanEffect)| {
        json!({
            "service": node_id(report, row.node),
            "account": row.account,
            "amount": row.amount,
            "apply": row.apply,
            "transfer": row.transfer,
            "wanted": found.wanted(),
            "never": of(&found.never),
            "once": of(&found.once),
            "more": of(&found.more),
            "repeated": of(&found.repeated),
            "applied": found.applied,
        })
    };
    let account = |row: &AccountReport| json!({"account": row.account, "sum": row.sum, "applied": row.applied});
    let transfer = |row: &TransferReport| {
        let off = |(account, sum): &(String, i64)| json!({"account": account, "sum": sum});
        json!({
            "transfer": row.transfer,
            "conserved": row.is_conserved(),
            "traces": row.traces,
            "unbalanced": of(&row.unbalanced),
            "sum": row.sum,
            "where": row.where_to.iter().map(off).collect::<Vec<_>>(),
        })
    };
    let longest = |(trace, ns): &(TraceId, i64)| json!({"trace": id(*trace), "ns": ns});
    json!({
        "effects": found.effects.iter().zip(effects.rows()).map(effect).collect::<Vec<_>>(),
        "accounts": found.accounts.iter().map(account).collect::<Vec<_>>(),
        "transfers": found.transfers.iter().map(transfer).collect::<Vec<_>>(),
        "stale_ns": latency(&found.stale.times),
        "longest": found.stale.longest.iter().map(longest).collect::<Vec<_>>(),
    })
}

fn of(named: &Named) -> Value {
    json!({"count": named.count, "traces": named.traces.iter().map(|trace| id(*trace)).collect::<Vec<_>>()})
}
