//! Every file of `fuzz/corpus` through the function that fuzzing calls, by the compiler and the profile of every other test.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hopscope_fuzzed::{TARGETS, call};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(name)
}

/// Names of what is in a folder, without their endings; of one that is not there, none.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some(entry.path().file_stem()?.to_string_lossy().into_owned())).collect()
}

#[test]
fn every_file_of_the_corpora_holds() {
    for (name, _) in TARGETS {
        let corpus = folder("corpus").join(name);
        let files: Vec<_> = std::fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!files.is_empty(), "{} is empty", corpus.display());
        for file in files {
            // Said before, so that a panic has its file with it.
            println!("{}", file.display());
            call(name, &std::fs::read(&file).unwrap());
        }
    }
}

#[test]
fn each_target_has_its_program_and_its_corpus() {
    let known: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&folder("fuzz_targets")), known);
    assert_eq!(names(&folder("corpus")), known);
    let manifest = std::fs::read_to_string(folder("Cargo.toml")).unwrap();
    for name in known {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is no binary of fuzz/Cargo.toml");
    }
}

/// Nothing, and every text of one byte, whatever the corpora have.
#[test]
fn next_to_nothing_holds() {
    for (name, _) in TARGETS {
        call(name, &[]);
        (0..=u8::MAX).for_each(|byte| call(name, &[byte]));
    }
}
