fn main() {
    for isa in foveal_kernels::Isa::available() {
        for t in [1, 2] {
            println!("{} {t}: {:.1}", isa.name(), foveal_kernels::peak::fma_gflops(isa, t, 0.5));
        }
    }
}
