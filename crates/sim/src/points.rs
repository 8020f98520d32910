//! The places at which the process can die: between every two steps that leave something behind.

use std::collections::BTreeMap;

macro_rules! points {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A place at which the process can die.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Point { $($(#[$doc])* $name,)* }

        impl Point {
            /// Every place.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

points! {
    /// A batch is planned; nothing of it is on the disk.
    BeforeAppend,
    /// The batch is on the disk; the writer does not know it yet.
    AfterAppend,
    /// The batch is durable; neither an answer nor an order is out.
    BeforeRelease,
    /// A certificate may be signed; it is not.
    BeforeSign,
    /// It is signed; nobody has it.
    AfterSign,
    /// A database user may be made; the backend has not been asked.
    BeforeOpen,
    /// The backend made it; the log does not know.
    AfterOpen,
    /// The log knows; the password is still sealed.
    BeforeHandOver,
    /// The password is handed over; the answer is not out.
    AfterHandOver,
    /// A cut is ordered; the backend has not been asked.
    BeforeBlock,
    /// New logins are blocked; live sessions go on.
    AfterBlock,
    /// Sessions are cut; nobody has looked.
    AfterCut,
    /// Nobody is left; the role is still there.
    AfterVerify,
    /// The role is gone; the log does not know.
    AfterClean,
    /// The log knows that it is closed; the connector still believes that it has to.
    AfterReport,
    /// The log is open and folded; the start is not recorded.
    AfterOpenLog,
    /// What an earlier process left is undone in the log; its cuts are not out.
    AfterRecover,
}

/// The process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Died(pub Point);

/// Where the process is to die next, and how often it died where.
#[derive(Debug, Clone, Default)]
pub struct Points {
    armed: Option<Point>,
    died: BTreeMap<Point, u64>,
}

impl Points {
    /// The process dies when it comes here next.
    pub const fn arm(&mut self, point: Option<Point>) {
        self.armed = point;
    }

    /// Where it is to die.
    pub const fn armed(&self) -> Option<Point> {
        self.armed
    }

    /// The process is here.
    ///
    /// # Errors
    /// It dies here.
    pub fn at(&mut self, point: Point) -> Result<(), Died> {
        if self.armed == Some(point) { Err(self.die(point)) } else { Ok(()) }
    }

    pub(crate) fn die(&mut self, point: Point) -> Died {
        self.armed = None;
        *self.died.entry(point).or_default() += 1;
        Died(point)
    }

    /// How often the process died at each place where it did.
    pub const fn died(&self) -> &BTreeMap<Point, u64> {
        &self.died
    }
}
