//! Kafka for tests and benches: the one that Hopscope starts for itself, installed by the built binary, which knows where it looks for it.

use anyhow::Result;

use crate::browser::on_path;
use crate::serve::Build;
use crate::step::{command, run, say, step};
use crate::tools::Tools;

/// What it takes to fetch and start it, and the packages that have it.
const NEEDED: [(&str, &str); 2] = [("java", "default-jre-headless"), ("mvn", "maven")];

/// Has it installed by the binary of a build, or made sure of; where it cannot be, each test that needs it tells that it did not run.
///
/// # Errors
/// When it could be, and is not.
pub(crate) fn ensure(tools: &Tools, build: Build) -> Result<()> {
    step("make sure of Kafka", || {
        for (program, package) in NEEDED {
            if on_path(program).is_none() {
                say(format!("no {program} here, so no Kafka; to have its tests run: apt-get install {package}"));
                return Ok(());
            }
        }
        if !cfg!(target_os = "linux") || !tools.may_install() {
            say("not installed here; where it is there, its tests run");
            return Ok(());
        }
        let hopscope = std::env::current_dir()?.join(build.binary());
        run(command(hopscope).args(["broker", "install", "kafka"]).env("HOPSCOPE_TOOLS", tools.folder()))
    })
}
