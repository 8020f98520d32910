//! Just enough of HTTP/2 framing (RFC 9113 section 4.1) to put one PING into a connection, and to take its answer out.
//!
//! The PING is the challenge of attestation: its eight bytes are random, every client answers it by itself, and the answer shows that
//! the process that was looked at still holds the connection. Nothing else of the bytes is read, and nothing is changed.

/// Client preface (RFC 9113 section 3.4).
const PREFACE_BYTES: usize = 24;
const HEADER_BYTES: usize = 9;
/// A PING with its eight bytes (section 6.7).
pub(crate) const PING_BYTES: usize = HEADER_BYTES + 8;
const PING: u8 = 0x6;
const GOAWAY: u8 = 0x7;
const SETTINGS: u8 = 0x4;
const ACK: u8 = 0x1;
/// `ENHANCE_YOUR_CALM` (section 7).
const ENHANCE_YOUR_CALM: u8 = 0xb;

/// The challenge as a frame.
pub(crate) fn ping(nonce: [u8; 8]) -> Vec<u8> {
    let mut frame = vec![0, 0, 8, PING, 0, 0, 0, 0, 0];
    frame.extend_from_slice(&nonce);
    frame
}

/// A whole server's side of a connection that is not served: settings, and that it goes away because of `why` (at most 200 bytes).
pub(crate) fn go_away(why: &str) -> Vec<u8> {
    let why = why.as_bytes().get(..why.len().min(200)).unwrap_or_default();
    let length = u8::try_from(8 + why.len()).unwrap_or(u8::MAX);
    let mut frames = vec![0, 0, 0, SETTINGS, 0, 0, 0, 0, 0];
    frames.extend_from_slice(&[0, 0, length, GOAWAY, 0, 0, 0, 0, 0]);
    frames.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, ENHANCE_YOUR_CALM]);
    frames.extend_from_slice(why);
    frames
}

/// What comes in: passes everything on but the answer to the challenge.
#[derive(Debug)]
pub(crate) struct Inbound {
    nonce: [u8; 8],
    state: State,
    /// The frame header, and the payload of a possible answer, until it is known what they are.
    held: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// So many bytes pass unread: the preface, or the rest of a frame.
    Passing(usize),
    /// A frame header is being collected.
    Header,
    /// It was the header of an answer to some PING, whose payload is being collected.
    Answer,
    /// The answer came: all passes.
    Done,
}

impl Inbound {
    pub(crate) const fn new(nonce: [u8; 8]) -> Self {
        Self { nonce, state: State::Passing(PREFACE_BYTES), held: Vec::new() }
    }

    /// Whether the answer has come.
    pub(crate) fn answered(&self) -> bool {
        self.state == State::Done
    }

    /// Appends to `out` what of `bytes` passes.
    pub(crate) fn pass(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while !bytes.is_empty() {
            let take = match self.state {
                State::Passing(left) => left,
                State::Header => HEADER_BYTES - self.held.len(),
                State::Answer => PING_BYTES - self.held.len(),
                State::Done => bytes.len(),
            };
            let (now, rest) = bytes.split_at(take.min(bytes.len()));
            bytes = rest;
            match self.state {
                State::Passing(left) => {
                    out.extend_from_slice(now);
                    self.state = passing(left - now.len());
                }
                State::Done => out.extend_from_slice(now),
                State::Header | State::Answer => {
                    self.held.extend_from_slice(now);
                    self.collected(out);
                }
            }
        }
    }

    fn collected(&mut self, out: &mut Vec<u8>) {
        match (self.state, self.held.as_slice()) {
            (State::Header, [0, 0, 8, PING, flags, ..]) if self.held.len() == HEADER_BYTES && flags & ACK != 0 => {
                self.state = State::Answer;
            }
            (State::Header, [high, middle, low, ..]) if self.held.len() == HEADER_BYTES => {
                self.state = passing(usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low));
                out.append(&mut self.held);
            }
            (State::Answer, held) if held.len() == PING_BYTES => {
                if held.ends_with(&self.nonce) {
                    self.state = State::Done;
                    self.held.clear();
                } else {
                    self.state = State::Header;
                    out.append(&mut self.held);
                }
            }
            _ => {}
        }
    }
}

const fn passing(left: usize) -> State {
    if left == 0 { State::Header } else { State::Passing(left) }
}

/// What goes out: says where the first frame, which is the settings (RFC 9113 section 3.4), ends.
#[derive(Debug)]
pub(crate) struct FirstFrame {
    header: Vec<u8>,
    payload_left: usize,
}

impl FirstFrame {
    pub(crate) const fn new() -> Self {
        Self { header: Vec::new(), payload_left: 0 }
    }

    /// How many more bytes belong to the first frame, as far as is known; zero once it has ended.
    pub(crate) fn left(&self) -> usize {
        match HEADER_BYTES - self.header.len() {
            0 => self.payload_left,
            header => header,
        }
    }

    /// Notes that `bytes`, at most [`Self::left`] of them, were sent.
    pub(crate) fn sent(&mut self, bytes: &[u8]) {
        if self.header.len() < HEADER_BYTES {
            self.header.extend_from_slice(bytes);
            if let [high, middle, low, _, _, _, _, _, _] = self.header.as_slice() {
                self.payload_left = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
            }
        } else {
            self.payload_left = self.payload_left.saturating_sub(bytes.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0, 0, u8::try_from(payload.len()).unwrap(), kind, flags, 0, 0, 0, 1];
        frame.extend_from_slice(payload);
        frame
    }

    fn pass(inbound: &mut Inbound, bytes: &[u8], sizes: &[usize]) -> Vec<u8> {
        let (mut out, mut rest, mut sizes) = (Vec::new(), bytes, sizes.iter().cycle());
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
            inbound.pass(now, &mut out);
            rest = later;
        }
        out
    }

    proptest! {
        /// R49: whatever the frames and however they are cut, exactly the answer is taken out, and nothing else is touched.
        #[test]
        fn only_the_answer_is_taken_out(
            frames in prop::collection::vec((0u8..10, any::<u8>(), prop::collection::vec(any::<u8>(), 0..40)), 0..8),
            at in any::<prop::sample::Index>(),
            sizes in prop::collection::vec(1usize..50, 1..6),
        ) {
            let mut frames: Vec<Vec<u8>> = frames.iter().map(|(kind, flags, payload)| frame(*kind, *flags, payload)).collect();
            let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
            let without = [preface.clone(), frames.concat()].concat();
            prop_assert_eq!(&pass(&mut Inbound::new([7; 8]), &without, &sizes), &without);
            frames.insert(at.index(frames.len() + 1), frame(PING, ACK, &[7; 8]));
            let mut inbound = Inbound::new([7; 8]);
            prop_assert_eq!(pass(&mut inbound, &[preface, frames.concat()].concat(), &sizes), without);
            prop_assert!(inbound.answered());
        }

        /// Bytes that are no frames at all pass, and nothing panics.
        #[test]
        fn garbage_passes(bytes in prop::collection::vec(any::<u8>(), 0..400), sizes in prop::collection::vec(1usize..50, 1..6)) {
            let mut inbound = Inbound::new([7; 8]);
            let out = pass(&mut inbound, &bytes, &sizes);
            prop_assert!(out.len() + inbound.held.len() == bytes.len() || inbound.answered());
        }

        #[test]
        fn the_first_frame_ends_where_it_ends(payload in prop::collection::vec(any::<u8>(), 0..60), sizes in prop::collection::vec(1usize..20, 1..6)) {
            let bytes = [frame(SETTINGS, 0, &payload), vec![9; 30]].concat();
            let (mut first, mut sent, mut sizes) = (FirstFrame::new(), 0, sizes.iter().cycle());
            while first.left() > 0 {
                let now = first.left().min(*sizes.next().unwrap());
                first.sent(&bytes[sent..sent + now]);
                sent += now;
            }
            prop_assert_eq!(sent, HEADER_BYTES + payload.len());
        }
    }

    #[test]
    fn an_answer_to_another_ping_is_no_answer() {
        let mut inbound = Inbound::new([7; 8]);
        let bytes = [vec![0; PREFACE_BYTES], frame(PING, 0, &[7; 8]), frame(PING, ACK, &[6; 8])].concat();
        assert_eq!(pass(&mut inbound, &bytes, &[5]), bytes);
        assert!(!inbound.answered());
    }
}
