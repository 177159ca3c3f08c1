//! Splits the page's WebAssembly in two: what its first sight needs, and what comes right after it.
//!
//! Which functions come later is told by their names ([`LATER`]); with them go those that only they call. Nothing in the page's source
//! knows of it: whatever is called before the second part has come, fetches it on the spot (`later.js`), so that a wrong choice costs
//! time and never an answer. The parts share memory and tables. Where the first calls into the second it does so through the table, in
//! whose slot a stand-in waits until the second part, as it begins, puts its own functions there; where the second calls into the first
//! it imports what the first exports.

mod read;
mod write;

use std::path::Path;

use anyhow::{Context, Result, ensure};
use sha2::{Digest as _, Sha256};

use read::Module;

/// Modules, and methods where a module is needed in part, that the page's first sight has no use for.
const LATER: [&str; 37] = [
    "hopscope_interaction::sequence",
    "hopscope_page::dock::compare",
    "hopscope_page::dock::latency",
    "hopscope_page::dock::verdict",
    "hopscope_page::editor::files",
    "hopscope_page::editor::inspector::body",
    "hopscope_page::editor::inspector::outside::panel",
    "hopscope_page::laws::checks",
    "hopscope_page::laws::effects",
    "hopscope_page::laws::table",
    "hopscope_page::runbar::brokers::Known",
    "hopscope_page::runbar::brokers::facts",
    "hopscope_page::runbar::brokers::row",
    "hopscope_page::runs::panel",
    "hopscope_page::runs::row",
    "hopscope_page::statement",
    "hopscope_page::traces::detail",
    "hopscope_record::bytes",
    "hopscope_record::codec",
    "hopscope_record::decoder",
    "hopscope_record::frame",
    "hopscope_record::state",
    "hopscope_report::checks",
    "hopscope_report::effects",
    "hopscope_report::laws",
    "hopscope_report::stats",
    "hopscope_report::traces",
    "hopscope_scenario::plan",
    "hopscope_view::buffer::RunBuffer>::fold",
    "hopscope_view::buffer::RunBuffer>::take",
    "hopscope_view::buffer::figures",
    "hopscope_view::buffer::groups",
    "hopscope_view::buffer::held",
    "hopscope_view::buffer::journey",
    "hopscope_view::buffer::queues",
    "hopscope_view::buffer::read",
    "hopscope_view::latency",
];

/// What makes an empty value: an empty page has those of all modules.
const EMPTY: &str = " as core::default::Default>::default";

/// What makes parts of views for every module.
const MAKERS: &str = "hopscope_page::ui::node";

/// Shorter functions, in bytes, stay first: a stand-in takes as much, and code that is the same in several places is there once, under
/// the name of any of them.
const SHORT: usize = 100;

/// What stands between the first part and the second, in the page's script.
const SCRIPT: &str = include_str!("later.js");

/// Splits the page in a folder that Trunk has just written.
///
/// # Errors
/// When the folder is not as Trunk and wasm-bindgen write it, or cannot be read or written.
pub(crate) fn split(dist: &Path) -> Result<()> {
    let path = only(dist, "_bg.wasm")?;
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let (first, second) = parts(&bytes, is_later).with_context(|| format!("cannot split {}", path.display()))?;
    let name = named(&second);
    std::fs::write(&path, first)?;
    std::fs::write(dist.join(&name), second)?;
    let path = only(dist, ".js")?;
    let script = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    std::fs::write(&path, joined(&script, &name)?)?;
    Ok(())
}

/// Whether a function comes later, by its name and its length in bytes: it is of [`LATER`], or made for one of these by [`MAKERS`].
fn is_later(name: &str, length: usize) -> bool {
    let name = without_hashes(name);
    let own = name.trim_start_matches(['<', '&']);
    let of = |module: &&str| own.starts_with(*module) || (own.starts_with(MAKERS) && name.contains(*module));
    length >= SHORT && !own.ends_with(EMPTY) && LATER.iter().any(of)
}

/// A function's name without what tells one build of a crate from another: `core[84f2c0a1b3d4e5f6]::fmt` is `core::fmt`.
fn without_hashes(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for (number, piece) in name.split('[').enumerate() {
        match piece.split_once(']') {
            Some((hash, rest)) if number > 0 && hash.len() > 9 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                plain.push_str(rest);
            }
            _ if number > 0 => plain.extend(["[", piece]),
            _ => plain.push_str(piece),
        }
    }
    plain
}

/// The name of the second part: it tells what is in it, so that it can be kept by whoever has fetched it.
fn named(second: &[u8]) -> String {
    let hash = Sha256::digest(second);
    format!("later-{}.wasm", hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// The one file at the top of a folder whose name ends so.
fn only(dist: &Path, end: &str) -> Result<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dist).with_context(|| format!("cannot read {}", dist.display()))? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(end)) {
            found.push(path);
        }
    }
    ensure!(found.len() == 1, "{} has {} files that end in {end}, not one", dist.display(), found.len());
    found.pop().context("there is one")
}

/// The script that wasm-bindgen wrote, which also gives the first part its stand-ins and fetches the second.
fn joined(script: &str, second: &str) -> Result<String> {
    const IMPORTS: &str = "return {\n        __proto__: null,\n";
    const BEGUN: &str = "wasm = instance.exports;\n";
    for known in [IMPORTS, BEGUN] {
        ensure!(
            script.matches(known).count() == 1,
            "wasm-bindgen writes its script otherwise now, and xtask/src/split has to follow: {known:?}"
        );
    }
    let script = script
        .replace(IMPORTS, &format!("{IMPORTS}        \"{}\": later.standIns,\n", write::STAND_INS))
        .replace(BEGUN, &format!("{BEGUN}    later.begin(wasm);\n"));
    Ok(format!("{}\n{script}", SCRIPT.replace("SECOND", second)))
}

/// The two parts of a module.
fn parts(bytes: &[u8], later: impl Fn(&str, usize) -> bool) -> Result<(Vec<u8>, Vec<u8>)> {
    let module = Module::read(bytes)?;
    let plan = Plan::new(&module, later);
    Ok((write::first(&module, &plan)?, write::second(&module, &plan)?))
}

/// Which function is in which part, and in which slot of the table.
struct Plan {
    /// Whether a function is in the second part, by its index in the whole module.
    later: Vec<bool>,
    /// How many functions before a function, none of them imported, are in its part.
    place: Vec<u32>,
    /// The slot through which the first part calls a function of the second, by the function's index.
    through: Vec<Option<u32>>,
    /// The slots of functions of the second part that the first part calls or that stand in the table: slot and function, by slot.
    slots: Vec<(u32, u32)>,
    /// How many slots the table has with those added for functions that were only called.
    table: u32,
    /// Functions of the first part, or imported by it, that the second calls.
    shared: Vec<u32>,
}

impl Plan {
    fn new(module: &Module<'_>, belongs: impl Fn(&str, usize) -> bool) -> Self {
        let own = module.imported..module.functions();
        let named: Vec<bool> = (0..module.functions())
            .map(|index| {
                let is_free = own.contains(&index) && !module.fixed.contains(&index);
                is_free && belongs(module.name(index), module.length(index))
            })
            .collect();
        // First is what is begun with and what stands in the table, and all that these call.
        let mut later = vec![true; named.len()];
        let mut open: Vec<u32> = (0..module.imported).chain(module.fixed.iter().copied()).collect();
        open.extend(module.slots.iter().map(|(_, function)| *function));
        while let Some(next) = open.pop() {
            if !named[next as usize] && later[next as usize] {
                later[next as usize] = false;
                open.extend(&module.calls[next as usize]);
            }
        }
        let mut slots: Vec<(u32, u32)> =
            module.slots.iter().copied().filter(|(_, function)| later[*function as usize]).collect();
        let mut table = module.table();
        let called = |from_later: bool, of_later: bool| {
            let mut called: Vec<u32> = own
                .clone()
                .filter(|function| later[*function as usize] == from_later)
                .flat_map(|function| module.calls[function as usize].iter().copied())
                .filter(|function| later[*function as usize] == of_later)
                .collect();
            called.sort_unstable();
            called.dedup();
            called
        };
        let mut through = vec![None; later.len()];
        for (slot, function) in &slots {
            through[*function as usize] = Some(*slot);
        }
        for function in called(false, true) {
            if through[function as usize].is_none() {
                through[function as usize] = Some(table);
                slots.push((table, function));
                table += 1;
            }
        }
        slots.sort_unstable();
        let shared = called(true, false);
        let mut before = [0; 2];
        let mut place = vec![0; later.len()];
        for function in own.clone() {
            let part = usize::from(later[function as usize]);
            place[function as usize] = before[part];
            before[part] += 1;
        }
        Self { later, place, through, slots, table, shared }
    }

    fn is_later(&self, function: u32) -> bool {
        self.later[function as usize]
    }

    /// The slot through which a function of the second part is called from the first.
    fn slot(&self, function: u32) -> Option<u32> {
        self.through[function as usize]
    }
}

#[cfg(test)]
mod tests;
