//! How long and how much runs are kept, as arguments name it.

use std::time::Duration;

use hopscope_scenario::quantity::Dimension;
use hopscope_scenario::text;
use hopscope_server::store::keep::{FEWEST, Keep, SHORTEST, time};

use crate::say::word;

/// The limits of the folder of runs.
#[derive(Clone, Copy, clap::Args)]
pub(crate) struct KeepRuns {
    /// Most that all runs may take on the disk, like 10GB; the oldest are removed beyond it [default: all are kept]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    keep_runs_size: Option<u64>,

    /// How long runs are kept, like 30d; older ones are removed [default: for good]
    #[arg(long, value_name = "TIME", value_parser = age)]
    keep_runs_for: Option<Duration>,
}

impl KeepRuns {
    /// The limits.
    pub(crate) const fn limits(self) -> Keep {
        Keep { bytes: self.keep_runs_size, time: self.keep_runs_for }
    }
}

fn size(text: &str) -> Result<u64, String> {
    let read = Dimension::Size.parse(text).ok().filter(|bytes| *bytes >= FEWEST);
    read.ok_or_else(|| word(text!("cli.keep.bad-size")))
}

fn age(text: &str) -> Result<Duration, String> {
    time(text).filter(|time| *time >= SHORTEST).ok_or_else(|| word(text!("cli.keep.bad-time")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_a_person_writes_them() {
        assert_eq!((size("10GB"), size("1.5 GiB")), (Ok(10_000_000_000), Ok(1_610_612_736)));
        assert_eq!(age("30d"), Ok(Duration::from_secs(30 * 86_400)));
        for wrong in ["", "10", "999kB", "10 TB", "all"] {
            assert!(size(wrong).is_err_and(|remedy| remedy.contains("10GB")), "{wrong:?}");
        }
        for wrong in ["", "10", "59min", "1 month", "ever"] {
            assert!(age(wrong).is_err_and(|remedy| remedy.contains("30d")), "{wrong:?}");
        }
    }
}
