//! Aligned columns that fit the terminal: what does not fit is left out, column by column, and never wraps.

use comfy_table::{Cell, CellAlignment, Color, Table};

use super::Painter;

/// One column: its heading and its cells.
#[derive(Debug, Clone)]
pub struct Column {
    /// The heading.
    pub head: &'static str,
    /// Figures stand on the right.
    pub figures: bool,
    /// Columns with a smaller number are left out last; 0 never is.
    pub rank: u8,
    /// One cell per row, with the colour it is to have.
    pub cells: Vec<(String, Option<Color>)>,
}

/// Lays out the columns for the painter's width; `all` keeps every column even where the terminal is narrower.
#[must_use]
pub fn table(mut columns: Vec<Column>, all: bool, painter: &Painter) -> Vec<String> {
    while !all && width(&columns) > usize::from(painter.width) {
        let Some(widest_rank) = columns.iter().map(|column| column.rank).max().filter(|rank| *rank > 0)
        else {
            break;
        };
        columns.retain(|column| column.rank != widest_rank);
    }
    if all || width(&columns) <= usize::from(painter.width) {
        return lay_out(&columns, painter);
    }
    // Even the least is too wide: lines end at the edge, without colours that would never be switched off.
    let lines = lay_out(&columns, &Painter { colour: false, ..*painter });
    lines.into_iter().map(|line| line.chars().take(usize::from(painter.width)).collect()).collect()
}

fn lay_out(columns: &[Column], painter: &Painter) -> Vec<String> {
    let rows = columns.iter().map(|column| column.cells.len()).max().unwrap_or(0);
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    if painter.colour {
        table.enforce_styling();
        table.style_text_only();
    } else {
        table.force_no_tty();
    }
    table.set_header(columns.iter().map(|column| Cell::new(column.head)));
    for row in 0..rows {
        table.add_row(columns.iter().map(|column| {
            let (text, colour) = column.cells.get(row).cloned().unwrap_or_default();
            let cell = Cell::new(text);
            match colour {
                Some(colour) => cell.fg(colour),
                None => cell,
            }
        }));
    }
    for (index, column) in columns.iter().enumerate() {
        if let Some(laid) = table.column_mut(index) {
            laid.set_padding((0, if index + 1 == columns.len() { 0 } else { GAP }));
            laid.set_cell_alignment(if column.figures { CellAlignment::Right } else { CellAlignment::Left });
        }
    }
    // The palette's own colours instead of the first of the 256: `38;5;1` is `31`.
    table.lines().map(|line| line.trim_end().replace("\u{1b}[38;5;", "\u{1b}[3")).collect()
}

/// Spaces between columns.
const GAP: u16 = 2;

fn width(columns: &[Column]) -> usize {
    let widest = |column: &Column| {
        let cells = column.cells.iter().map(|(text, _)| text.chars().count());
        cells.chain([column.head.chars().count()]).max().unwrap_or(0)
    };
    columns.iter().map(widest).sum::<usize>() + columns.len().saturating_sub(1) * usize::from(GAP)
}
