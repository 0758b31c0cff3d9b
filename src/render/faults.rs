//! Link faults as lines: what, since when, and how to take it back.

use super::Painter;
use crate::status::FaultStatus;
use crate::status::figure::duration;

/// One line per fault, its command on the right where both fit, else below.
#[must_use]
pub fn faults(list: &[FaultStatus], now_ms: u64, painter: &Painter) -> Vec<String> {
    let said = |fault: &FaultStatus| {
        let late = match fault.pending.as_slice() {
            [] => String::new(),
            ports => {
                let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
                format!("; {} not told yet", ports.join(", "))
            }
        };
        let since = duration(now_ms.saturating_sub(fault.since_ms) / 1000);
        format!(" fault {}: {} {} for {since}{late}", fault.id, fault.links.join(", "), fault.what)
    };
    let typed = |fault: &FaultStatus| format!("heal: {}", fault.fix);
    let left = list.iter().map(|fault| said(fault).chars().count()).max().unwrap_or(0);
    let right = list.iter().map(|fault| typed(fault).chars().count()).max().unwrap_or(0);
    let beside = left + 3 + right <= usize::from(painter.width);
    let lines = |fault| match beside {
        true => vec![format!("{:left$}   {}", said(fault), typed(fault))],
        false => vec![said(fault), format!("      {}", typed(fault))],
    };
    list.iter().flat_map(lines).collect()
}
