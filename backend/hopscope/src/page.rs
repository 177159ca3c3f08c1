//! The built page, embedded.

use hopscope_server::{Asset, Page};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../frontend/page/dist"]
struct Dist;

/// The page as Trunk left it, with a Brotli twin (`NAME.br`) beside each file.
pub(crate) struct EmbeddedPage;

impl Page for EmbeddedPage {
    fn asset(&self, path: &str) -> Option<Asset> {
        let plain = Dist::get(path)?;
        let brotli = Dist::get(&format!("{path}.br")).map(|file| file.data);
        let media_type = mime_guess::from_path(path).first_or_octet_stream().to_string();
        Some(Asset { plain: plain.data, brotli, media_type })
    }
}
