//! Standard error, shared by log lines and progress bars.

use std::io::{Write, stderr};

use indicatif::MultiProgress;
use tracing_subscriber::fmt::MakeWriter;

/// Writes lines above the bars, so that neither tears the other.
#[derive(Clone, Debug)]
pub(crate) struct Console {
    bars: MultiProgress,
}

impl Console {
    /// A console whose bars are `bars`.
    pub(crate) fn new(bars: MultiProgress) -> Self {
        Self { bars }
    }

    /// Writes a line.
    pub(crate) fn line(&self, text: &str) {
        let mut writer = self.make_writer();
        // Nobody may be listening any more; that ends nothing.
        let _unheard = writer.write_all(format!("{text}\n").as_bytes());
    }
}

/// One line on its way.
#[derive(Debug)]
pub(crate) struct ConsoleLine<'c>(&'c Console);

impl Write for ConsoleLine<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.bars.suspend(|| stderr().lock().write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        stderr().lock().flush()
    }
}

impl<'c> MakeWriter<'c> for Console {
    type Writer = ConsoleLine<'c>;

    fn make_writer(&'c self) -> Self::Writer {
        ConsoleLine(self)
    }
}
