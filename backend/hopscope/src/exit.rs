//! Exit codes that a script can rely on; docs/command-line.md lists them.

use std::process::ExitCode;

/// How the program ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Exit {
    /// As asked; a run was whole, broke no law and passed every check.
    Fine = 0,
    /// A check of the scenario did not pass.
    CheckFailed = 1,
    /// A recording breaks a law.
    LawBroken = 2,
    /// The scenario cannot run.
    Invalid = 3,
    /// The run was not whole: events lost, the recording cut, or the schedule's rate missed.
    NotWhole = 4,
    /// Something outside the scenario: a file, the network, the system.
    Environment = 5,
    /// An unknown command or option, or a value that an option may not have.
    Usage = 64,
}

/// Of several that apply, the first of these is told.
const ORDER: [Exit; 6] =
    [Exit::Usage, Exit::Invalid, Exit::Environment, Exit::LawBroken, Exit::NotWhole, Exit::CheckFailed];

impl Exit {
    /// The one to tell of those that apply; [`Exit::Fine`] where none does.
    pub(crate) fn first_of(apply: &[Self]) -> Self {
        ORDER.into_iter().find(|exit| apply.contains(exit)).unwrap_or(Self::Fine)
    }

    /// Its number.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_the_first_in_order_is_told() {
        assert_eq!(Exit::first_of(&[]), Exit::Fine);
        assert_eq!(Exit::first_of(&[Exit::NotWhole]), Exit::NotWhole);
        assert_eq!(Exit::first_of(&[Exit::CheckFailed]), Exit::CheckFailed);
        assert_eq!(Exit::first_of(&[Exit::CheckFailed, Exit::NotWhole]), Exit::NotWhole);
        assert_eq!(Exit::first_of(&[Exit::NotWhole, Exit::LawBroken]), Exit::LawBroken);
        assert_eq!(Exit::first_of(&[Exit::NotWhole, Exit::LawBroken, Exit::Environment]), Exit::Environment);
        assert_eq!(Exit::first_of(&[Exit::Environment, Exit::Invalid]), Exit::Invalid);
        assert_eq!(Exit::first_of(&[Exit::Invalid, Exit::Usage]), Exit::Usage);
    }
}
