//! Makes what the corpora of `fuzz/` begin with: `cargo run --release -p hopscope-fuzzed --example seeds -- FILE.hop...`.
//!
//! Each recording gives a file to every corpus about recordings; a short run of a template is a few kB. The corpus of scenarios
//! are the templates themselves, and that of AMQP begins with a client's opening.

use std::error::Error;
use std::fs::{self, File};
use std::path::Path;

use hopscope_fuzzed::{bytes_of, opening, payloads};
use hopscope_record::codec::EventDecoder;
use hopscope_record::decoder::{Decoder, Framing};
use hopscope_record::frame::Payload;
use hopscope_report::export::{Document, Format};

/// Events of a recording that are taken: so many show what there is.
const EVENTS: usize = 40;

fn main() -> Result<(), Box<dyn Error>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let keep = |target: &str, name: &str, bytes: &[u8]| {
        fs::create_dir_all(corpus.join(target)).and_then(|()| fs::write(corpus.join(target).join(name), bytes))
    };
    for path in std::env::args_os().skip(1) {
        let path = Path::new(&path);
        let name = path.file_stem().and_then(|name| name.to_str()).ok_or("a file without a name")?;
        let file = fs::read(path)?;
        keep("recording", name, &payloads(&file))?;
        // Whole, and in two pieces.
        keep("decoder", name, &[&[128], file.as_slice()].concat())?;
        keep("events", name, &first_events(&file)?)?;
        let json = Format::find("json").ok_or("no JSON")?;
        let mut document = Vec::new();
        Document::survey(json, File::open(path)?, file.len() as u64)?.write(|chunk| {
            document.extend(chunk);
            Ok::<_, std::convert::Infallible>(())
        })?;
        keep("import", name, &document)?;
    }
    keep("amqp_frames", "opening", &opening())?;
    keep("amqp_session", "opening", &[0])?;
    Ok(())
}

fn first_events(file: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let (mut decoder, mut events) = (Decoder::new(Framing::File), Vec::new());
    decoder.push(file);
    while let Some(frame) = decoder.next_frame()? {
        if let Payload::Events(payload) = frame.read()? {
            let mut batch = Vec::new();
            EventDecoder::new().decode(payload.batch, &mut batch)?;
            events.extend(batch.iter().flat_map(bytes_of));
        }
    }
    events.truncate(EVENTS * bytes_of(&hopscope_record::Event::new(0, hopscope_record::Kind::SENT)).len());
    Ok(events)
}
