//! The plane, as its callers see it: real signatures, a real writer, a world around it.

mod charter;
mod ending;
mod founding;
mod simulate;
mod task;
mod writer;
