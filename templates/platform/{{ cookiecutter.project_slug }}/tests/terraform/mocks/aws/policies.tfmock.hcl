# A policy must be JSON, and a word that a mock makes up is none.
mock_data "aws_iam_policy_document" {
  defaults = {
    json = "{}"
  }
}

# So that a policy that names a role of its own stack is known when it is planned.
mock_resource "aws_iam_role" {
  override_during = plan
  defaults = {
    arn = "arn:aws:iam::123456789012:role/mock"
  }
}
