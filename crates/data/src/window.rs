//! Windows: the part of the Hounsfield scale that is seen.

use crate::Error;

/// The largest distance of a centre from 0, and the largest width.
const MOST: f32 = 100_000.0;

/// A window on the Hounsfield scale: what lies below it is black, what lies above it white, and
/// within it grey rises evenly (DICOM's LINEAR_EXACT, PS3.3 C.11.2.1.3.2).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    centre: f32,
    width: f32,
}

impl Window {
    /// Windows by name: lung -600,1500; bone 400,1800; soft 40,400 (soft tissue); brain 40,80.
    pub const PRESETS: [(&'static str, Window); 4] = [
        ("lung", Window { centre: -600.0, width: 1500.0 }),
        ("bone", Window { centre: 400.0, width: 1800.0 }),
        ("soft", Window { centre: 40.0, width: 400.0 }),
        ("brain", Window { centre: 40.0, width: 80.0 }),
    ];
    /// Soft tissue, what viewers show first.
    pub const SOFT: Window = Self::PRESETS[2].1;

    /// A window `width` Hounsfield units wide around `centre`.
    ///
    /// # Errors
    /// [`Error::Argument`] for a centre beyond 100,000 either way and a width that is not within 1
    /// to 100,000.
    ///
    /// ```
    /// use foveal_data::Window;
    ///
    /// let window = Window::new(40.0, 400.0)?;
    /// assert_eq!([-1000.0, -160.0, 40.0, 240.0, 3000.0].map(|v| window.grey(v)), [0.0, 0.0, 127.5, 255.0, 255.0]);
    /// assert!(Window::new(40.0, 0.0).is_err());
    /// # Ok::<(), foveal_data::Error>(())
    /// ```
    pub fn new(centre: f32, width: f32) -> Result<Self, Error> {
        if centre.abs() <= MOST && (1.0..=MOST).contains(&width) {
            return Ok(Self { centre, width });
        }
        Err(Error::Argument {
            argument: "window",
            value: format!("{centre},{width}"),
            allowed: format!("centre,width with a centre within {MOST} of 0 and a width of 1 to {MOST}"),
        })
    }

    /// The window that `name` names, one of [`Self::PRESETS`].
    pub fn named(name: &str) -> Option<Self> {
        Self::PRESETS.iter().find(|(own, _)| *own == name).map(|(_, window)| *window)
    }

    /// The middle, in Hounsfield units.
    pub fn centre(&self) -> f32 {
        self.centre
    }

    /// From black to white, in Hounsfield units.
    pub fn width(&self) -> f32 {
        self.width
    }

    /// The grey of a Hounsfield value: 0 (black) to 255 (white).
    pub fn grey(&self, hounsfield: f32) -> f32 {
        (((hounsfield - self.centre) / self.width + 0.5) * 255.0).clamp(0.0, 255.0)
    }
}
