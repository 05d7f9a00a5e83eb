"""What people say of identity, against the data: recorded, checked beforehand, followed up."""
