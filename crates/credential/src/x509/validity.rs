//! Times in certificates: whole seconds.

use std::time::Duration;
use writ_types::Time;
use x509_cert::der::DateTime;
use x509_cert::der::asn1::{GeneralizedTime, UtcTime};
use x509_cert::time::{Time as CertificateTime, Validity};

/// From the one to the other, both in whole seconds rounded down.
pub(super) fn validity(not_before: Time, not_after: Time) -> x509_cert::der::Result<Validity> {
    Ok(Validity { not_before: seconds_to(not_before)?, not_after: seconds_to(not_after)? })
}

/// The moment that a certificate's time means.
pub(super) fn seconds_from(time: CertificateTime) -> Time {
    Time::from_seconds(time.to_unix_duration().as_secs())
}

/// RFC 5280 section 4.1.2.5: two-digit years through 2049, four digits after.
fn seconds_to(time: Time) -> x509_cert::der::Result<CertificateTime> {
    let date = DateTime::from_unix_duration(Duration::from_secs(time.seconds()))?;
    if date.year() <= UtcTime::MAX_YEAR {
        Ok(CertificateTime::UtcTime(UtcTime::from_date_time(date)?))
    } else {
        Ok(CertificateTime::GeneralTime(GeneralizedTime::from_date_time(date)))
    }
}
