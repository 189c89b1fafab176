//! Metrics as text: OpenMetrics 1.0, which has exemplars, or Prometheus' own format 0.0.4 for whoever asks for that.
//!
//! It knows no metric. Formats: <https://prometheus.io/docs/specs/om/open_metrics_spec/> and
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::{fmt::Write as _, time::UNIX_EPOCH};

use super::histogram::{Exemplar, Histogram};

/// Names and values of labels.
pub(crate) type Labels<'a> = &'a [(&'static str, &'a str)];

/// Which of the two formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    OpenMetrics,
    Prometheus,
}

/// What a family of metrics is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Format {
    /// As the header `Accept` asks for.
    pub(crate) fn of_accept(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") { Self::OpenMetrics } else { Self::Prometheus }
    }

    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// The text, as far as it is written.
pub(crate) struct Text {
    format: Format,
    text: String,
    name: &'static str,
}

impl Text {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, text: String::with_capacity(64 << 10), name: "" }
    }

    pub(crate) fn end(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    /// Begins a family; what follows are its samples. A counter's name ends with `_total`.
    pub(crate) fn family(&mut self, name: &'static str, kind: Kind, help: &str) {
        self.name = name;
        let is_open = self.format == Format::OpenMetrics;
        let family = if is_open { name.strip_suffix("_total").unwrap_or(name) } else { name };
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.line(format_args!("# HELP {family} {help}"));
        self.line(format_args!("# TYPE {family} {kind}"));
        let unit = ["seconds", "bytes"].into_iter().find(|unit| family.ends_with(&format!("_{unit}")));
        if let Some(unit) = unit.filter(|_| is_open) {
            self.line(format_args!("# UNIT {family} {unit}"));
        }
    }

    /// A family of one number without labels.
    pub(crate) fn single(&mut self, name: &'static str, kind: Kind, help: &str, value: impl std::fmt::Display) {
        self.family(name, kind, help);
        self.sample(&[], value);
    }

    /// A number of the family that was begun last.
    pub(crate) fn sample(&mut self, labels: Labels<'_>, value: impl std::fmt::Display) {
        let name = self.name;
        self.line(format_args!("{name}{} {value}", braced(labels, None)));
    }

    /// The same of a histogram.
    pub(crate) fn histogram(&mut self, labels: Labels<'_>, histogram: &Histogram) {
        let (name, scale, counts) = (self.name, histogram.scale(), histogram.counts());
        let mut count = 0;
        for (bucket, own) in counts.buckets.iter().enumerate() {
            count += own;
            let bound = scale.bounds.get(bucket).map_or_else(|| "+Inf".to_owned(), |bound| told(*bound, scale.unit));
            let exemplar = histogram.exemplar(bucket).filter(|_| self.format == Format::OpenMetrics);
            let exemplar = exemplar.map(|exemplar| behind(exemplar, scale.unit)).unwrap_or_default();
            self.line(format_args!("{name}_bucket{} {count}{exemplar}", braced(labels, Some(&bound))));
        }
        self.line(format_args!("{name}_sum{} {}", braced(labels, None), told(counts.sum, scale.unit)));
        self.line(format_args!("{name}_count{} {count}", braced(labels, None)));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // A string takes everything.
        let _ = writeln!(self.text, "{line}");
    }
}

fn told(value: u64, unit: f64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "the format has floating point")]
    let value = value as f64;
    // A division by a whole number is exact where a product with a fraction of ten is not.
    if unit < 1.0 { (value / (1.0 / unit).round()).to_string() } else { (value * unit).to_string() }
}

fn behind(exemplar: Exemplar, unit: f64) -> String {
    let at = exemplar.at.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!(" # {{trace_id=\"{:032x}\"}} {} {:.3}", exemplar.trace, told(exemplar.value, unit), at.as_secs_f64())
}

fn braced(labels: Labels<'_>, bound: Option<&str>) -> String {
    let labels = labels.iter().copied().chain(bound.map(|bound| ("le", bound)));
    let labels: Vec<String> = labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::metrics::histogram::{SIZES, TIMES};

    #[test]
    fn counters_are_named_as_each_format_wants() {
        let write = |format| {
            let mut text = Text::new(format);
            text.family("usher_sent_bytes_total", Kind::Counter, "Sent.");
            text.sample(&[("to", "a\"b")], 7);
            text.end()
        };
        let sample = "usher_sent_bytes_total{to=\"a\\\"b\"} 7\n";
        let open = "# HELP usher_sent_bytes Sent.\n# TYPE usher_sent_bytes counter\n# UNIT usher_sent_bytes bytes\n";
        assert_eq!(write(Format::OpenMetrics), format!("{open}{sample}# EOF\n"));
        let own = "# HELP usher_sent_bytes_total Sent.\n# TYPE usher_sent_bytes_total counter\n";
        assert_eq!(write(Format::Prometheus), format!("{own}{sample}"));
    }

    #[test]
    fn buckets_add_up_and_tell_a_trace() {
        let times = Histogram::new(TIMES);
        times.observe_time(Duration::from_micros(7), Some(0xab));
        times.observe_time(Duration::from_secs(11), None);
        let mut text = Text::new(Format::OpenMetrics);
        text.family("usher_wait_seconds", Kind::Histogram, "Wait.");
        text.histogram(&[("shard", "0")], &times);
        let text = text.end();
        for part in [
            "usher_wait_seconds_bucket{shard=\"0\",le=\"0.000005\"} 0\n",
            "le=\"0.00001\"} 1 # {trace_id=\"000000000000000000000000000000ab\"} 0.000007 ",
            "le=\"10\"} 1\n",
            "le=\"+Inf\"} 2\n",
            "usher_wait_seconds_sum{shard=\"0\"} 11.000007\n",
            "usher_wait_seconds_count{shard=\"0\"} 2\n",
        ] {
            assert!(text.contains(part), "no {part} in {text}");
        }
        let mut text = Text::new(Format::Prometheus);
        text.family("usher_batch_commands", Kind::Histogram, "Batch.");
        text.histogram(&[], &Histogram::new(SIZES));
        assert!(text.end().contains("usher_batch_commands_bucket{le=\"4096\"} 0\n"));
    }
}
