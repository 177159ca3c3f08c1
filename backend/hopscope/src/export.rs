//! `hopscope export`.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use hopscope_report::export::{Document, DocumentError, EXPORTS, Format};
use hopscope_scenario::text;
use hopscope_server::store::RunId;

use crate::data::Data;
use crate::exit::Exit;
use crate::say::{note, say, word};

/// Arguments of `hopscope export`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which run, by its id
    #[arg(value_name = "RUN")]
    run: RunId,

    /// The format
    #[arg(long, value_name = "FORMAT", default_value = "json", value_parser = formats())]
    format: &'static Format,

    /// Where to write it; - is the standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,

    #[command(flatten)]
    data: Data,
}

/// Takes the names of formats, and no others.
fn formats() -> impl TypedValueParser<Value = &'static Format> {
    let names = PossibleValuesParser::new(EXPORTS.iter().map(|format| format.id));
    names.try_map(|name| Format::find(&name).ok_or("no such format"))
}

/// Writes the recording; of one that is live, what is in its file by now. What is no text goes to no terminal.
///
/// # Errors
/// When there is no such run, it has nothing to export yet, or the file cannot be written.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let (id, format, printed) = (&arguments.run, arguments.format, arguments.out == Path::new("-"));
    if printed && !format.text && io::stdout().is_terminal() {
        let file = format!("{id}.{}", format.extension);
        note(&say(text!("cli.error.terminal"), [("format", format.id.to_owned()), ("file", file)]));
        return Ok(Exit::Usage);
    }
    let (file, bytes) = arguments.data.store()?.file(id).map_err(|error| arguments.data.explain(id, error))?;
    if printed {
        match write(format, id, file, bytes, || Ok(io::stdout().lock()), &word(text!("cli.error.stdout"))) {
            // Whoever reads has had enough.
            Err(error) if is_broken_pipe(&error) => {}
            written => written?,
        }
    } else {
        let refused = not_written(&arguments.out);
        write(format, id, file, bytes, || File::create(&arguments.out), &refused)?;
    }
    Ok(Exit::Fine)
}

/// What is said where a file cannot be written.
pub(crate) fn not_written(path: &Path) -> String {
    say(text!("cli.error.not-written"), [("file", path.display().to_string())])
}

/// Writes the first `bytes` of a recording in a format. Where to is opened once it is known that there is something to
/// write, so that a failed export leaves an older file alone.
///
/// # Errors
/// When the recording cannot be exported, or with `refused` when it cannot be written.
pub(crate) fn write<W: Write>(
    format: &Format,
    id: &RunId,
    file: File,
    bytes: u64,
    open: impl FnOnce() -> io::Result<W>,
    refused: &str,
) -> Result<()> {
    let not_exported = || say(text!("cli.error.not-exported"), [("id", id.to_string())]);
    let document = Document::survey(format, file, bytes).with_context(not_exported)?;
    let mut out = BufWriter::new(open().with_context(|| refused.to_owned())?);
    match document.write(|chunk| out.write_all(&chunk)) {
        Ok(()) => {}
        Err(DocumentError::Source(error)) => return Err(error).with_context(not_exported),
        Err(DocumentError::Put(error)) => return Err(error).with_context(|| refused.to_owned()),
    }
    out.flush().with_context(|| refused.to_owned())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.into_iter().any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
