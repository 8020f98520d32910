//! Times in certificates: whole seconds.

use std::time::Duration;
use writ_types::Time;
use x509_cert::der::asn1::{GeneralizedTime, UtcTime};
use x509_cert::der::{DateTime, Tag};
use x509_cert::time::{Time as CertificateTime, Validity};

/// For a certificate; both ends in whole seconds rounded down.
pub(super) fn to_validity(not_before: Time, not_after: Time) -> x509_cert::der::Result<Validity> {
    Ok(Validity { not_before: to_time(not_before)?, not_after: to_time(not_after)? })
}

/// From a certificate: its begin and its end.
pub(super) fn from_validity(validity: Validity) -> x509_cert::der::Result<(Time, Time)> {
    Ok((from_time(validity.not_before)?, from_time(validity.not_after)?))
}

/// RFC 5280 section 4.1.2.5: two-digit years through 2049, four digits after.
fn to_time(time: Time) -> x509_cert::der::Result<CertificateTime> {
    let date = DateTime::from_unix_duration(Duration::from_secs(time.seconds()))?;
    if date.year() <= UtcTime::MAX_YEAR {
        Ok(CertificateTime::UtcTime(UtcTime::from_date_time(date)?))
    } else {
        Ok(CertificateTime::GeneralTime(GeneralizedTime::from_date_time(date)))
    }
}

fn from_time(time: CertificateTime) -> x509_cert::der::Result<Time> {
    if matches!(time, CertificateTime::GeneralTime(_)) && time.to_date_time().year() <= UtcTime::MAX_YEAR {
        return Err(Tag::GeneralizedTime.value_error());
    }
    Ok(Time::from_seconds(time.to_unix_duration().as_secs()))
}
