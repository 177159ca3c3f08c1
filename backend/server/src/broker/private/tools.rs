//! Where programs lie that are not ours.

use std::path::{Path, PathBuf};

/// The folder of Hopscope's tools, as `cargo xtask` has it.
pub(in crate::broker) fn tools() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    variable("HOPSCOPE_TOOLS").or_else(|| {
        let cache = variable("XDG_CACHE_HOME").or_else(|| Some(Path::new(&variable("HOME")?).join(".cache")))?;
        Some(cache.join("hopscope/tools"))
    })
}

/// The folders that programs are looked for in.
pub(in crate::broker) fn path() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

/// The program of that name, where there is one.
pub(in crate::broker) fn on_path(program: &str) -> Option<PathBuf> {
    path().into_iter().map(|folder| folder.join(program)).find(|program| program.is_file())
}
