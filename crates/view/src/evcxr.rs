//! Figures in notebooks of evcxr, the Jupyter kernel for Rust: it calls `evcxr_display` of what a cell ends in.

use crate::{Drawing, Error, Figure};

/// What evcxr takes for a picture.
fn content(svg: Result<String, Error>) -> String {
    let (kind, text) = match svg {
        Ok(svg) => ("image/svg+xml", svg),
        Err(error) => ("text/plain", error.to_string()),
    };
    format!("EVCXR_BEGIN_CONTENT {kind}\n{text}\nEVCXR_END_CONTENT")
}

impl Figure {
    /// Shows the figure in a notebook of evcxr.
    ///
    /// ```
    /// // :dep foveal = { version = "0.1", features = ["evcxr"] }
    /// use foveal_view::{ColorMap, imshow};
    /// use ndarray::array;
    ///
    /// imshow(array![[1.0, 2.0], [3.0, 4.0]].view(), "four numbers", ColorMap::Gray).evcxr_display();
    /// ```
    pub fn evcxr_display(&self) {
        println!("{}", content(self.to_svg()));
    }
}

impl Drawing {
    /// Shows the drawing in a notebook of evcxr.
    pub fn evcxr_display(&self) {
        println!("{}", content(self.to_svg("figure")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evcxr_gets_a_picture_or_the_error() {
        let figure = crate::imshow(ndarray::array![[1.0, 2.0]].view(), "two", crate::ColorMap::Gray);
        let text = content(figure.to_svg());
        assert!(
            text.starts_with("EVCXR_BEGIN_CONTENT image/svg+xml\n<svg")
                && text.ends_with("</svg>\nEVCXR_END_CONTENT")
        );
        assert!(content(Err(Error::Inside("no".into()))).starts_with("EVCXR_BEGIN_CONTENT text/plain\n"));
    }
}
