/// Keeps a trait to the floats: nobody outside can implement it.
pub trait Sealed {}
impl Sealed for f32 {}
impl Sealed for f64 {}
