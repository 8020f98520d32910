//! `writ why`: the story of anything that you can show, with every entry that it rests on proven to be in the log.

mod export;
mod prove;
mod tell;

use crate::args::{Output, parsed};
use crate::failure::{Exit, Failure, Outcome};
use crate::link::{Link, Reach};
use crate::show::{note, print, print_json};
use clap::Args;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use writ_types::Digest;
use writ_wire::api::{AskWhy, Story};

/// The longest scrap: a certificate chain.
const SCRAP_BYTES_MAX: u64 = 64 * 1024;
/// A checkpoint follows its entries within a second or so.
const COVERED_WITHIN: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(100);

/// Tell the story of anything that you can show
#[derive(Debug, Args)]
pub(crate) struct Why {
    /// A file with a PEM, `-` for standard input, a serial number, a database user, a SPIFFE ID, an id or an index
    what: String,
    /// Write every signature out, for `ssh-keygen -Y verify` to judge
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
    /// The hash of the genesis that the log must begin with
    #[arg(long, value_name = "HASH", value_parser = parsed::<Digest>)]
    genesis: Option<Digest>,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    output: Output,
}

impl Why {
    pub(crate) fn run(self) -> Outcome {
        let what = scrap(&self.what)?;
        let link = Link::open_pinned(&self.reach, self.genesis.as_ref())?;
        let mut story: Story = link.post("/v1/why", &AskWhy { what: what.clone() })?;
        let mut waited = Duration::ZERO;
        while story.receipts.len() < story.entries.len() && waited < COVERED_WITHIN {
            std::thread::sleep(POLL);
            waited += POLL;
            story = link.post("/v1/why", &AskWhy { what: what.clone() })?;
        }
        let proven = prove::prove(&story, &link.head().key);
        story.receipts_verified = proven.is_ok();
        let entries = match &proven {
            Ok(entries) => entries.as_slice(),
            Err(why) => {
                note(&format!("the story is not proven: {why}"));
                &[]
            }
        };
        let mut exit = if story.receipts_verified { Exit::Done } else { Exit::Failed };
        if let (Some(dir), Exit::Done) = (&self.export, exit) {
            let written = export::export(&link, entries, dir)?;
            note(&written.told);
            if written.left_out {
                exit = Exit::LeftOut;
            }
        }
        (story.receipts, story.leaves) = (Vec::new(), Vec::new());
        if self.output.is_json() {
            // The members of the answer are a contract; the kinds are for people.
            let mut value = serde_json::to_value(&story).map_err(Failure::bug)?;
            if let Some(members) = value.as_object_mut() {
                members.remove("kinds");
            }
            print_json(&value);
        } else {
            print(&tell::story(&story));
        }
        Ok(exit)
    }
}

/// What is asked about: the content of a file, of standard input, or the text itself.
fn scrap(what: &str) -> Result<String, Failure> {
    let path = Path::new(what);
    let wrong = |error: std::io::Error| Failure::file(path, &error);
    let mut text = String::new();
    if what == "-" {
        std::io::stdin().lock().take(SCRAP_BYTES_MAX).read_to_string(&mut text).map_err(wrong)?;
    } else if path.is_file() {
        std::fs::File::open(path).map_err(wrong)?.take(SCRAP_BYTES_MAX).read_to_string(&mut text).map_err(wrong)?;
    } else {
        what.clone_into(&mut text);
    }
    if text.contains("PRIVATE KEY") {
        return Err(Failure::usage("that holds a private key, which leaves for nowhere", "show the certificate instead"));
    }
    let text = text.trim();
    if text.is_empty() {
        return Err(Failure::usage("there is nothing to ask about", "name a file, a serial number, a user, an id or an index"));
    }
    Ok(text.to_owned())
}
