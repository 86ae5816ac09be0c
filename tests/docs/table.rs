//! Tables of Markdown.

/// The cells of each row of each table in a document, without the head of the table.
pub(crate) fn rows(document: &str) -> Vec<Vec<&str>> {
    let mut rows = Vec::new();
    let mut in_table = false;
    for line in document.lines() {
        let Some(cells) = line
            .strip_prefix('|')
            .and_then(|line| line.strip_suffix('|'))
        else {
            in_table = false;
            continue;
        };
        if cells.starts_with("---") {
            in_table = true;
        } else if in_table {
            rows.push(cells.split('|').map(str::trim).collect());
        }
    }
    rows
}

/// What stands between backticks.
pub(crate) fn code(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}
