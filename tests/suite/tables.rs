//! Facts from tables: CSV, and SQLite and Parquet where they are built in.

use crate::files::{err, files, nlog, nlog_with_input, out};
use std::fs;
use std::process::Output;

const TEMPLATE: &str = "[rule=identity, atom=identity, aggregation=sum]\n\
                        <1> q(X) :- <1> bond(X,Y).\n?- q(X).\n";

/// A run of the template on tables.
fn run(tables: &[(&str, &str)]) -> Output {
    let mut list = vec![("t.lrnn", TEMPLATE)];
    list.extend(tables);
    let dir = files(&list);
    let mut args = vec!["run", "t.lrnn"];
    args.extend(tables.iter().map(|(name, _)| *name));
    nlog(dir.path(), &args)
}

/// What a table of `bond` answers.
fn answers(table: &str) -> String {
    let o = run(&[("bond.csv", table)]);
    assert!(o.status.success(), "{}", err(&o));
    out(&o)
}

#[test]
fn a_table_says_what_the_same_facts_say() {
    let table = "from,value,to\na1,0.5,a2\na1, 2 ,'x'\n1.0,+1e0,\"A \"\"b\"\", c\"\n\r\n01,3,Č\n";
    let text = "<0.5> bond(a1,a2). <2> bond(a1,'\\'x\\''). <1> bond(1,'A \"b\", c'). <3> bond(1,'Č').";
    let o = run(&[("facts.db", text)]);
    assert!(o.status.success(), "{}", err(&o));
    assert_eq!(answers(table), out(&o));
    assert_eq!(out(&o), "q(a1) = 2.5    X = a1\nq(1) = 4    X = 1\n");
    // A byte order mark, carriage returns, no newline at the end; nothing of it is data.
    assert_eq!(answers("\u{feff}a,b\r\nx,y\r\n\r\nz,y"), "q(x) = 1    X = x\nq(z) = 1    X = z\n");
    let o = run(&[("bond.tsv", "a\tb\tvalue\nx\ta, b\t2\n")]);
    assert_eq!(out(&o), "q(x) = 2    X = x\n", "{}", err(&o));
}

#[test]
fn the_table_of_the_documentation_is_the_facts_below_it() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("grammar/README.md")).expect("documentation is there");
    let (_, rest) = text.split_once("```csv\n").expect("a table");
    let (table, rest) = rest.split_once("```\n\nsays `").expect("and what it says");
    let (facts, _) = rest.split_once("`\n").expect("one line");
    let o = run(&[("facts.db", facts)]);
    assert!(o.status.success(), "{}", err(&o));
    assert_eq!(answers(table), out(&o));
    let o = run(&[("facts.db", &format!("{facts} ?- bond(X,Y)."))]);
    let dir = files(&[("t.lrnn", TEMPLATE), ("bond.csv", table), ("q.db", "?- bond(X,Y).")]);
    assert_eq!(out(&nlog(dir.path(), &["run", "t.lrnn", "bond.csv", "q.db"])), out(&o));
}

#[test]
fn what_a_cell_is() {
    for (cell, constant) in [
        ("abc", "abc"),
        ("a-b_C9", "a-b_C9"),
        ("Abc", "'Abc'"),
        ("_x", "'_x'"),
        ("a b", "'a b'"),
        ("ß", "ß"),
        ("007", "7"),
        ("-2.50", "-2.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e2", "100"),
        ("1e", "'1e'"),
        ("--1", "'--1'"),
        ("1-2", "'1-2'"),
        ("inf", "inf"),
        ("9007199254740992", "9007199254740992"),
        // One more than a float can tell from its neighbour: a name, so that identifiers stay apart.
        ("9007199254740993", "'9007199254740993'"),
        ("it's", "'it\\'s'"),
        ("\"two\nlines\"", "'two\\nlines'"),
    ] {
        let shown = answers(&format!("a,b\n{cell},y\n"));
        assert_eq!(shown, format!("q({constant}) = 1    X = {constant}\n"), "{cell}");
    }
}

#[test]
fn values_are_numbers_or_vectors_and_are_not_learned() {
    let dir = files(&[
        ("t.lrnn", "[rule=identity, atom=identity, aggregation=sum]\n<1> q(X) :- <[[1,10,100]]> f(X).\n"),
        ("f.csv", "value.2,who,value.0,value.1\n3,a,1,2\n0,b,-1,0.5\n"),
        ("q.db", "?- q(X), f(a)."),
    ]);
    let o = nlog(dir.path(), &["run", "t.lrnn", "f.csv", "q.db"]);
    assert!(o.status.success(), "{}", err(&o));
    assert_eq!(out(&o), "q(a) = 321    X = a\nq(b) = 4    X = b\nf(a) = [1,2,3]\n");
    // `0.5 f(a).` in text would be a parameter; a value of a table is data.
    let o = nlog(dir.path(), &["check", "t.lrnn", "f.csv"]);
    assert!(err(&o).contains("0 learnable numbers, 2 facts"), "{}", err(&o));
}

#[test]
fn tables_belong_to_the_shared_world() {
    let dir = files(&[
        ("t.lrnn", "[rule=identity, atom=identity, aggregation=sum]\n<1> q :- <1> weight(K), <0> has(K).\n"),
        ("weight.csv", "kind,value\nc,12\no,16\n"),
        ("e.txt", "1 q :- has(c), has(o).\n2 q :- has(o).\n"),
    ]);
    let o = nlog(dir.path(), &["run", "t.lrnn", "weight.csv", "--examples", "e.txt", "--epochs", "0"]);
    assert!(o.status.success() && out(&o).starts_with("s_0: q = 28 "), "{}{}", out(&o), err(&o));
    assert!(out(&o).contains("s_1: q = 16 "), "{}", out(&o));
    let o = nlog(dir.path(), &["run", "t.lrnn", "--examples", "weight.csv"]);
    assert!(!o.status.success() && err(&o).contains("is a table, which has no examples"), "{}", err(&o));
    // Several tables, a text and standard input are one database.
    let o = nlog_with_input(dir.path(), &["run", "t.lrnn", "weight.csv", "-"], "has(c). ?- q.\n");
    assert_eq!(out(&o), "q = 12\n", "{}", err(&o));
}

#[test]
fn the_explorer_loads_tables() {
    let dir = files(&[
        ("t.lrnn", "q(X) :- bond(X,Y)."),
        ("bond.csv", "a,b\nx,y\n"),
        ("more/bond.tsv", "a\tb\nz\ty\n"),
    ]);
    let script = ":load more/bond.tsv\n?- bond(X,Y).\n:load more/absent.csv\n";
    let o = nlog_with_input(dir.path(), &["repl", "t.lrnn", "bond.csv"], script);
    let shown = out(&o) + &err(&o);
    assert!(shown.contains("bond(x,y) = 1") && shown.contains("bond(z,y) = 1"), "{shown}");
    assert!(shown.contains("E1002"), "{shown}");
}

#[test]
fn faults_of_tables_are_located() {
    let wide: String = (0..64).map(|i| format!("c{i},")).collect::<String>() + "last\n";
    let cases: &[(&str, &str, &str, &str)] = &[
        ("", "E0517", "bond.csv:1:1", "the file is empty"),
        ("a,b\n", "E0501", "bond.csv:1:1", "no row below the header"),
        ("a,b,a\nx,y,z\n", "E0517", "bond.csv:1:5", "columns 1 and 3 are both called `a`"),
        ("a,,c\n", "E0517", "bond.csv:1:3", "column 2 has no name"),
        ("x,1\n", "E0517", "bond.csv:1:3", "the first row names the columns"),
        ("a;b\n", "E0517", "bond.csv:1:1", "separated by commas"),
        ("a,value,value.0\n", "E0517", "bond.csv:1:3", "not both"),
        ("a,value.0,value.2\n", "E0517", "bond.csv:1:11", "without `value.1`"),
        ("a,value.x\n", "E0517", "bond.csv:1:3", "no element of a value"),
        (&wide, "E0213", "bond.csv:1:1", "65 arguments; 63 are the most"),
        ("a,b\nx,y\nx\n", "E0518", "bond.csv:3:2", "`b` is missing"),
        ("a,b\nx,y,z\n", "E0518", "bond.csv:2:5", "one cell too many"),
        ("a,b\n\nx,\n", "E0518", "bond.csv:3:3", "an empty cell in column `b`"),
        ("a,b\nx,\"\"\n", "E0518", "bond.csv:2:3", "an empty cell in column `b`"),
        ("a,b\n\"č,č\",  \n", "E0518", "bond.csv:2:7", "an empty cell in column `b`"),
        ("a,b\nx,NaN\n", "E0518", "bond.csv:2:3", "`NaN` in column `b` is not a finite number"),
        ("a,b\nx,1000000000000e999\n", "E0518", "bond.csv:2:3", "is not a finite number"),
        ("a,b,value\nx,y,inf\n", "E0518", "bond.csv:2:5", "`inf` in column `value`"),
        ("a,b,value\nx,y,1e999\n", "E0518", "bond.csv:2:5", "`1e999` in column `value`"),
        ("a,b,value\nx,y,much\n", "E0518", "bond.csv:2:5", "`much` in column `value`"),
        ("a,b\nx,\"y\nz,z\n", "E0518", "bond.csv:2:3", "a quoted cell is never closed"),
        ("a,b\r\n\"x\r\nx\",y\r\nz\r\n", "E0518", "bond.csv:4:2", "`b` is missing"),
    ];
    for (table, code, place, word) in cases {
        let o = run(&[("bond.csv", table)]);
        let shown = err(&o);
        assert_eq!(o.status.code(), Some(1), "{table:?}");
        for part in [*code, *place, *word] {
            assert!(shown.contains(part), "{table:?} lacks {part}\n{shown}");
        }
    }
    let o = run(&[("Bond.csv", "a,b\nx,y\n")]);
    assert!(o.status.code() == Some(1) && err(&o).contains("E0519"), "{}", err(&o));
    let dir = files(&[("t.lrnn", TEMPLATE)]);
    fs::write(dir.path().join("bond.csv"), b"a,b\nx,y\nZ\xfcrich,z\n").expect("written");
    let o = nlog(dir.path(), &["run", "t.lrnn", "bond.csv"]);
    assert!(err(&o).contains("E0504") && err(&o).contains("bond.csv:3:2"), "{}", err(&o));
}

#[test]
fn wrong_rows_are_counted_and_right_ones_read() {
    let mut table = "a,b\n".to_string();
    for i in 0..40 {
        table += &format!("{i},\n{i},x\n");
    }
    let o = run(&[("bond.csv", &table)]);
    let shown = err(&o);
    assert_eq!(shown.matches("[E0518]").count(), 5, "{shown}");
    assert!(shown.contains("and 35 more rows of this table"), "{shown}");
}

#[test]
fn messages_about_facts_show_their_row() {
    let dir = files(&[("t.lrnn", "{2,3} q :- f(X).\n?- q.\n"), ("f.csv", "who,value.0,value.1\na,1,2\n")]);
    let o = nlog(dir.path(), &["run", "t.lrnn", "f.csv"]);
    assert!(err(&o).contains("E0401") && err(&o).contains("f.csv:2:1"), "{}", err(&o));
    let o = run(&[("bond.csv", "a,b,value\nx,y,1\nx,y,2\n")]);
    assert!(err(&o).contains("W0508") && err(&o).contains("bond.csv:3:1"), "{}", err(&o));
}

#[test]
fn kinds_are_told_by_the_first_bytes() {
    let dir = files(&[("t.lrnn", TEMPLATE)]);
    fs::write(dir.path().join("kb.db"), b"SQLite format 3\0rest").expect("written");
    fs::write(dir.path().join("bond.dat"), b"PAR1rest").expect("written");
    for (file, built, feature) in
        [("kb.db", cfg!(feature = "sqlite"), "sqlite"), ("bond.dat", cfg!(feature = "parquet"), "parquet")]
    {
        let o = nlog(dir.path(), &["run", "t.lrnn", file]);
        let shown = err(&o);
        assert!(o.status.code() == Some(1) && shown.contains("E1002"), "{shown}");
        assert_eq!(shown.contains(&format!("--features {feature}")), !built, "{shown}");
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn tables_and_views_of_a_database() {
    let dir = files(&[("t.lrnn", TEMPLATE), ("more.csv", "x\ny\n")]);
    let path = dir.path().join("kb.db");
    let database = rusqlite::Connection::open(&path).expect("a database can be made");
    database
        .execute_batch(
            "CREATE TABLE Raw(a TEXT, b TEXT, w REAL);
             INSERT INTO Raw VALUES ('a1','a2',0.5), ('a1','X y',2), ('1','c',4);
             CREATE VIEW bond(a, b, value) AS SELECT a, b, w FROM Raw;
             CREATE TABLE atom(id INTEGER, kind TEXT);",
        )
        .expect("statements are right");
    let o = nlog(dir.path(), &["run", "t.lrnn", "kb.db", "more.csv"]);
    assert!(o.status.success(), "{}", err(&o));
    assert_eq!(out(&o), "q(a1) = 2.5    X = a1\nq(1) = 4    X = 1\n");
    assert!(
        err(&o).contains("E0519") && err(&o).contains("`Raw`") && err(&o).contains("left out"),
        "{}",
        err(&o)
    );
    database
        .execute_batch("INSERT INTO atom VALUES (1,'c'), (2,NULL); INSERT INTO Raw VALUES ('a', x'00', 1);")
        .expect("statements are right");
    let o = nlog(dir.path(), &["run", "t.lrnn", "kb.db"]);
    let shown = err(&o);
    assert!(shown.contains("an empty cell in column `kind`, row 2 of table `atom` in `kb.db`"), "{shown}");
    assert!(shown.contains("a blob in column `b`, row 4 of table `bond`"), "{shown}");
}

#[cfg(feature = "parquet")]
#[test]
fn a_parquet_file() {
    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;
    use std::sync::Arc;

    let dir = files(&[("t.lrnn", TEMPLATE)]);
    let write = |name: &str, values: &[f64]| {
        let schema = "message m { required byte_array a (UTF8); required int64 b; required double value; }";
        let schema = Arc::new(parse_message_type(schema).expect("a schema"));
        let properties = WriterProperties::builder().set_compression(parquet::basic::Compression::SNAPPY);
        let file = fs::File::create(dir.path().join(name)).expect("a file");
        let mut writer =
            SerializedFileWriter::new(file, schema, Arc::new(properties.build())).expect("a writer");
        let mut group = writer.next_row_group().expect("a group");
        let names: Vec<ByteArray> = ["a1", "a1", "B"].into_iter().map(ByteArray::from).collect();
        let mut column = group.next_column().expect("no fault").expect("a column");
        column.typed::<ByteArrayType>().write_batch(&names, None, None).expect("written");
        column.close().expect("closed");
        let mut column = group.next_column().expect("no fault").expect("a column");
        column.typed::<Int64Type>().write_batch(&[1, 2, 3], None, None).expect("written");
        column.close().expect("closed");
        let mut column = group.next_column().expect("no fault").expect("a column");
        column.typed::<DoubleType>().write_batch(values, None, None).expect("written");
        column.close().expect("closed");
        group.close().expect("closed");
        writer.close().expect("closed");
    };
    write("bond.parquet", &[0.5, 2.0, 4.0]);
    let o = nlog(dir.path(), &["run", "t.lrnn", "bond.parquet"]);
    assert!(o.status.success(), "{}", err(&o));
    assert_eq!(out(&o), "q(a1) = 2.5    X = a1\nq('B') = 4    X = 'B'\n");
    write("bond.parquet", &[0.5, f64::NAN, 4.0]);
    let o = nlog(dir.path(), &["run", "t.lrnn", "bond.parquet"]);
    assert!(err(&o).contains("E0518") && err(&o).contains("row 2 of `bond.parquet`"), "{}", err(&o));
}

#[test]
fn no_text_breaks_the_reader() {
    use nlog::base::rng::Stream;
    use nlog::base::span::SourceMap;
    use nlog::data::builder::Builder;
    use nlog::data::{Database, Vocabulary};
    use nlog::diag::render::render;

    const PIECES: &[&str] = &[
        "a", "b", "value", "1", ".5", "NaN", ",", ",", ",", "\"", "\"\"", "\n", "\n", "\r\n", " ", "č",
        "\u{feff}", ";",
    ];
    let mut stream = Stream::new(5, "texts");
    let mut read = 0;
    for _ in 0..20_000 {
        let header = if stream.below(3) == 0 { "" } else { "x,value,y\n" };
        let mut text = header.to_string();
        for _ in 0..stream.below(30) {
            text += PIECES[stream.below(PIECES.len() as u64) as usize];
        }
        let (mut sources, mut vocabulary) = (SourceMap::new(), Vocabulary::new());
        let source = sources.add("t.csv", text.clone());
        let mut builder = Builder::new(&mut vocabulary, Database::new());
        builder.shared_facts(|sink| {
            nlog::syntax::table::read_csv(source, &text, "t", b',', nlog::syntax::table::Content::Facts, sink)
        });
        let (database, found) = builder.finish();
        for d in &found {
            let place = d.span().expect("each fault has its place");
            assert!(text.get(place.range()).is_some(), "{text:?}: {d:?}");
            render(d, &sources, false);
        }
        for (_, table) in database.shared.tables() {
            for span in &table.spans {
                let row = text.get(span.range()).expect("a row of the text");
                assert!(!row.is_empty() && !row.starts_with(['\r', '\n']), "{text:?}: {row:?}");
            }
            read += table.len();
        }
    }
    assert!(read > 1000, "{read} rows are too few");
}
