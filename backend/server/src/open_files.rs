//! Room for sockets: a run holds two per call in flight and a broker one per client, more than the usual soft limit of 1,024
//! open files.

/// Raises the soft limit of open files to the hard one. Where that is refused, opening says so when files run out.
pub(crate) fn raise() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::debug!("the limit of open files stays at {current:?}: {error}");
    }
}
