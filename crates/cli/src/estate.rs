//! Estate files: read, resolved against what is in force, compared.
//!
//! `yaml` reads text into nodes with places, `fields` reads nodes into values, `document` says what each kind holds, `known` is what
//! is in force or waits, `resolve` makes items of documents, `difference` keeps what differs, `describe` says items in words.

pub(crate) mod describe;
pub(crate) mod difference;
mod document;
mod fields;
pub(crate) mod known;
mod nearest;
mod problem;
pub(crate) mod resolve;
pub(crate) mod roles;
mod yaml;

pub(crate) use document::Document;
pub(crate) use fields::check_line;
pub(crate) use known::Known;
pub(crate) use nearest::suggestion;
pub(crate) use problem::Problems;

use crate::failure::Failure;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The documents of these files, or everything that is wrong with them.
pub(crate) fn read_files(files: &[PathBuf]) -> Result<Vec<Document>, Failure> {
    let mut problems = Problems::default();
    let mut documents = Vec::new();
    for file in files {
        let text = read_file(file)?;
        documents.extend(read_text(&file.display().to_string(), file.parent(), &text, &mut problems));
    }
    problems.none_or(documents)
}

/// The documents of one text; what is wrong is added to `problems`. `beside` is the directory that file names in it start from.
fn read_text(name: &str, beside: Option<&Path>, text: &[u8], problems: &mut Problems) -> Vec<Document> {
    let file: Rc<str> = crate::show::plain(name).into();
    let nodes = yaml::read(&file, text, problems);
    nodes.iter().filter_map(|node| document::read(node, beside, problems)).collect()
}

fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let wrong = |error: std::io::Error| Failure::file(path, &error);
    let file = std::fs::File::open(path).map_err(wrong)?;
    file.take(yaml::FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(wrong)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
