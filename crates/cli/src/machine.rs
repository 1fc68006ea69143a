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

/// Bytes that this process may still take, as far as the system says: free memory and swap, or what the limit of its
/// control group leaves. `None` where nothing is said.
pub fn free_memory() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let whole = read("/proc/meminfo").and_then(|text| available(&text));
    // The folder of a container's own group; another group's limits are not looked for.
    let number = |name: &str| read(&format!("/sys/fs/cgroup/{name}"))?.trim().parse::<u64>().ok();
    let group = number("memory.max").zip(number("memory.current")).map(|(most, used)| {
        let cached = read("/sys/fs/cgroup/memory.stat").and_then(|text| field(&text, "inactive_file "));
        most.saturating_sub(used.saturating_sub(cached.unwrap_or(0)))
    });
    match (whole, group) {
        (Some(whole), Some(group)) => Some(whole.min(group)),
        (one, other) => one.or(other),
    }
}

/// Available memory and free swap of `/proc/meminfo`, in bytes.
fn available(text: &str) -> Option<u64> {
    Some(1024 * (field(text, "MemAvailable:")? + field(text, "SwapFree:").unwrap_or(0)))
}

/// The first number of the line that begins with `name`.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
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
    fn free_memory_is_what_may_still_be_taken() {
        let text =
            "MemTotal: 100 kB\nMemFree: 5 kB\nMemAvailable:   40 kB\nSwapTotal: 9 kB\nSwapFree:  7 kB\n";
        assert_eq!(super::available(text), Some(47 * 1024));
        assert_eq!(super::available("MemAvailable: 3 kB\n"), Some(3 * 1024));
        assert_eq!(super::available("MemTotal: 3 kB\n"), None);
    }

    #[test]
    fn the_processor_is_found() {
        let text = "processor\t: 0\nmodel name\t: A CPU @ 2 GHz\nmodel name\t: B\n";
        assert_eq!(super::processor(text).as_deref(), Some("A CPU @ 2 GHz"));
        assert_eq!(super::processor("model name\t:\n"), None);
        assert_eq!(super::processor("processor\t: 0\n"), None);
    }
}
