//! The page is embedded from `frontend/page/dist`. A missing folder would be a compile error, so it is made here, empty;
//! a binary built that way says that its page was not built.

fn main() {
    let dist = "../../frontend/page/dist";
    println!("cargo:rerun-if-changed={dist}");
    if let Err(error) = std::fs::create_dir_all(dist) {
        println!("cargo:warning=cannot make {dist}: {error}");
    }
}
