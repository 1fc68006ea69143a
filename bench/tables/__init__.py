"""One module for each table; each gives `run(sides, options)`: lines of Markdown, raw numbers, and headlines."""
