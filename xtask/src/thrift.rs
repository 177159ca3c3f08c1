//! What Thrift's compiler writes: committed, so that a build needs none, and compared with what it writes today.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::step::{command, run};

/// The description of what nodes are called by.
const DESCRIPTION: &str = "backend/server/thrift/node.thrift";

/// What is written from it.
struct Written {
    /// How the compiler is told.
    generator: &'static str,
    /// Where it is kept.
    folder: &'static str,
    /// What of it is kept: as the compiler calls it, and as it is kept.
    files: &'static [(&'static str, &'static str)],
}

const WRITTEN: [Written; 3] = [
    Written { generator: "rs", folder: "backend/server/src/transport/thrift", files: &[("node.rs", "generated.rs")] },
    Written {
        generator: "py",
        folder: "tests/outside/thrift/python/hopscope",
        files: &[
            ("hopscope/__init__.py", "__init__.py"),
            ("hopscope/node/__init__.py", "node/__init__.py"),
            ("hopscope/node/Node.py", "node/Node.py"),
            ("hopscope/node/constants.py", "node/constants.py"),
            ("hopscope/node/ttypes.py", "node/ttypes.py"),
        ],
    },
    Written {
        generator: "go:package_prefix=peer/",
        folder: "tests/outside/thrift/go/hopscope/node",
        files: &[
            ("hopscope/node/GoUnusedProtection__.go", "GoUnusedProtection__.go"),
            ("hopscope/node/node-consts.go", "node-consts.go"),
            ("hopscope/node/node.go", "node.go"),
        ],
    },
];

/// Writes all of it anew where it is kept.
///
/// # Errors
/// When there is no compiler, or it does not take the description.
pub(crate) fn generate() -> Result<()> {
    each(|fresh, kept| {
        std::fs::create_dir_all(kept.parent().unwrap_or(Path::new(".")))?;
        std::fs::write(kept, fresh).with_context(|| format!("cannot write {}", kept.display()))
    })
}

/// Compares what is kept with what the compiler writes. The line that names its version may differ.
///
/// # Errors
/// When something differs, or cannot be written.
pub(crate) fn check() -> Result<()> {
    each(|fresh, kept| {
        let kept_text = std::fs::read_to_string(kept).with_context(|| format!("cannot read {}", kept.display()))?;
        ensure!(
            without_version(fresh).eq(without_version(&kept_text)),
            "{} is not what Thrift's compiler writes of {DESCRIPTION}: `cargo xtask generate` writes it anew",
            kept.display()
        );
        Ok(())
    })
}

fn without_version(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.contains("Thrift Compiler"))
}

/// Does this with each file, fresh, and the place where it is kept.
fn each(work: impl Fn(&str, &Path) -> Result<()>) -> Result<()> {
    let fresh = PathBuf::from("target/thrift");
    // What an earlier compiler has left is not what this one writes.
    let _ = std::fs::remove_dir_all(&fresh);
    std::fs::create_dir_all(&fresh)?;
    for Written { generator, folder, files } in &WRITTEN {
        run(command("thrift").arg("-out").arg(&fresh).args(["--gen", generator, DESCRIPTION]))?;
        for (written, kept) in *files {
            let path = fresh.join(written);
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            work(&text, &Path::new(folder).join(kept))?;
        }
    }
    Ok(())
}
