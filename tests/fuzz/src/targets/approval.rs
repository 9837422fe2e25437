//! Approvals: as a line and as text, whatever stands in them; and what is read comes back the same from both forms.

use encl::envelope::Approval;

/// One input.
pub fn run(input: &[u8]) {
    let Ok(approval) = Approval::from_bytes(input) else {
        return;
    };
    for form in [approval.to_line(), approval.to_text()] {
        let again = Approval::from_bytes(form.as_bytes());
        assert!(again.is_ok_and(|again| again == approval));
    }
}
