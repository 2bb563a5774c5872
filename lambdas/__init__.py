"""What runs in AWS. It only wires: what there is to know is in `ses_suppression`."""
