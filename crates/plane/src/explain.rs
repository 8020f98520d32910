//! From anything that the world can show to the story behind it (law 11), from entries alone.

mod book;
mod document;
mod estate;
mod index;
mod story;
mod subject;
mod task;

pub use index::Index;
pub use story::{Answered, Ending, Explained, Justification, Point, explain};
