//! From anything that the world can show to the story behind it (law 11), from entries alone.

mod index;
mod story;
mod task;

pub use index::Index;
pub use story::{Answered, Ending, Explained, Justification, Point, explain};
