//! The machine that the program runs on, as reports name it.

use foveal::nn::Isa;
use foveal::view::report::Machine;

/// This machine, working with `threads` threads.
pub fn this(threads: usize) -> Machine {
    let (system, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    // Linux names the processor in a file; elsewhere the architecture has to do.
    let named = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| processor(&text));
    Machine {
        cpu: named.unwrap_or_else(|| arch.to_owned()),
        instructions: Isa::best().name().to_owned(),
        threads,
        system: format!("{system} {arch}"),
    }
}

/// The processor's name in `/proc/cpuinfo`; not every processor has one.
fn processor(text: &str) -> Option<String> {
    let line = text.lines().find(|l| l.starts_with("model name"))?;
    let name = line.split_once(':')?.1.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_processor_is_found() {
        let text = "processor\t: 0\nmodel name\t: A CPU @ 2 GHz\nmodel name\t: B\n";
        assert_eq!(super::processor(text).as_deref(), Some("A CPU @ 2 GHz"));
        assert_eq!(super::processor("model name\t:\n"), None);
        assert_eq!(super::processor("processor\t: 0\n"), None);
    }
}
