fn main() -> Result<(), ()> { Ok(()) }
