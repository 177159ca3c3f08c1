//! What became of effects in sentences of the catalogue.

use hopscope_scenario::catalogue::{Arg, Args, Key};
use hopscope_scenario::plan::{Plan, PlanEffect};
use hopscope_scenario::steps::apply_label;
use hopscope_scenario::text;

use super::{AccountReport, Stale, TransferReport};
use crate::figures::{length, signed, whole};

/// A sentence with its arguments.
pub type Words = (Key, Args);

fn words<const N: usize>(key: Key, args: [(&str, Arg); N]) -> Words {
    let mut named = Args::new();
    named.extend(args.into_iter().map(|(name, arg)| (name.to_owned(), arg)));
    (key, named)
}

/// What an effect is called: its service, its account, its amount, and how often it is applied.
#[must_use]
pub fn name(plan: &Plan, row: &PlanEffect) -> Words {
    let service = plan.nodes.get(row.node as usize).map_or("", |node| node.name.as_str());
    words(
        text!("effects.name"),
        [
            ("service", service.into()),
            ("account", row.account.as_str().into()),
            ("amount", signed(row.amount).into()),
            ("apply", apply_label(row.apply).into()),
        ],
    )
}

impl AccountReport {
    /// What it came to.
    #[must_use]
    pub fn words(&self) -> Words {
        let Self { account, sum, applied } = self;
        let args =
            [("account", account.as_str().into()), ("sum", signed(*sum).into()), ("count", whole(*applied).into())];
        words(text!("effects.account"), args)
    }
}

impl TransferReport {
    /// That it is conserved, or where it went.
    #[must_use]
    pub fn words(&self) -> Words {
        let key = if self.is_conserved() { text!("effects.conserved") } else { text!("effects.not-conserved") };
        let accounts: Vec<_> =
            self.where_to.iter().map(|(account, off)| format!("{account} {}", signed(*off))).collect();
        words(
            key,
            [
                ("transfer", self.transfer.as_str().into()),
                ("count", whole(self.unbalanced.count).into()),
                ("of", whole(self.traces).into()),
                ("sum", signed(self.sum).into()),
                ("accounts", accounts.join(", ").into()),
            ],
        )
    }
}

impl Stale {
    /// For how long traces went on.
    #[must_use]
    pub fn words(&self) -> Words {
        let ns = |ns: Option<u64>| ns.map_or_else(|| "–".to_owned(), length).into();
        words(
            text!("effects.stale"),
            [
                ("count", whole(self.times.count()).into()),
                ("p50", ns(self.times.percentile(50.0))),
                ("p99", ns(self.times.percentile(99.0))),
                ("max", ns(self.times.max())),
            ],
        )
    }
}
