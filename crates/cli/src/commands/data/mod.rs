//! `foveal data`

use crate::args::Data;
use crate::array_text::shape;
use crate::output::{Context, count};
use crate::source;
use crate::table::{Side, table};
use anyhow::Result;

mod between;
mod check;
mod faults;
mod show;

/// Lists, checks or shows data sets.
pub fn run(args: &Data, context: &Context) -> Result<()> {
    match args {
        Data::List => list(context),
        Data::Check { data, reading } => check::run(data, reading, context),
        Data::Show(args) => show::run(args, context),
    }
}

fn list(context: &Context) -> Result<()> {
    let listed = source::built_in();
    if context.json {
        return context.print_json(
            &serde_json::json!({ "datasets": listed, "formats": ["class folders", "csv", "npz", "dicom", "tsv", "idx"] }),
        );
    }
    let columns = [
        (context.say("name", "이름"), Side::Left),
        (context.say("training", "훈련"), Side::Right),
        (context.say("test", "테스트"), Side::Right),
        (context.say("shape", "크기"), Side::Left),
        (context.say("classes", "클래스 수"), Side::Right),
    ];
    let row = |listed: &source::BuiltIn| {
        vec![
            listed.name.to_owned(),
            count(listed.train as u64),
            count(listed.test as u64),
            shape(&listed.shape),
            listed.classes.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = listed.iter().map(row).collect();
    let own = context.say(
        "Your own:\n  \
         a folder with one folder of pictures (PNG, JPEG, BMP, WebP, TIFF) for each class, or\n  \
         train, val and test with class folders in each;\n  \
         a .csv table of path,target: classes, or numbers to learn (regression);\n  \
         a .npz file with x_train, y_train, x_test and y_test, as Keras has them;\n  \
         a folder of DICOM slices of CT, in class folders or with --labels;\n  \
         a .tsv with lines of label<TAB>text, or a folder with train.tsv, val.tsv and test.tsv;\n  \
         a folder with train-images-idx3-ubyte, train-labels-idx1-ubyte,\n  \
         t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, plain or .gz.",
        "직접 만든 자료:\n  \
         분류마다 그림(PNG, JPEG, BMP, WebP, TIFF) 폴더가 하나씩 든 폴더, 또는\n  \
         train, val, test 아래에 분류 폴더가 든 폴더;\n  \
         path,target 행으로 된 .csv 표: 분류, 또는 배울 숫자(회귀);\n  \
         케라스처럼 x_train, y_train, x_test, y_test가 든 .npz 파일;\n  \
         DICOM CT 단면이 분류 폴더에 들었거나 --labels 표가 딸린 폴더;\n  \
         분류<탭>글 줄로 된 .tsv 파일, 또는 train.tsv, val.tsv, test.tsv가 든 폴더;\n  \
         train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte,\n  \
         t10k-labels-idx1-ubyte 파일(그대로 또는 .gz)이 든 폴더.",
    );
    context.print(&format!("{}\n{own}\n", table(&columns, &rows)))
}
