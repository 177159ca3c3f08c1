//! The page's entry: takes over the document's body.

fn main() {
    hopscope_page::start();
}
