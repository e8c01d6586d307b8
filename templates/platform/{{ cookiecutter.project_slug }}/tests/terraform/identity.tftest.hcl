mock_provider "aws" {
  source = "./mocks/aws"
}

# The other stacks: each of their outputs is told by its own name.
mock_provider "terraform" {
  source = "./mocks/stacks"
}

run "workloads_are_started_by_sagemaker_for_this_account_only" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for trust in [
        data.aws_iam_policy_document.trust-training,
        data.aws_iam_policy_document.trust-pipelines,
        data.aws_iam_policy_document.trust-serving,
        data.aws_iam_policy_document.trust-monitoring,
        ] : [
        for statement in trust.statement : alltrue([
          alltrue(flatten([for principal in statement.principals : [for who in principal.identifiers : who == "sagemaker.amazonaws.com"]])),
          anytrue([for condition in statement.condition : condition.variable == "aws:SourceAccount"]),
        ])
      ]
    ]))
    error_message = "Somebody other than SageMaker, or SageMaker for another account, can take a workload's role."
  }
}

run "pipelines_are_started_by_this_environments_rules_only" {
  command = plan

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.trust-triggers.statement : alltrue([
        alltrue(flatten([for principal in statement.principals : [for who in principal.identifiers : who == "events.amazonaws.com"]])),
        anytrue([for condition in statement.condition : condition.variable == "aws:SourceArn"]),
      ])
    ])
    error_message = "Somebody other than this environment's rules can take the role that starts pipelines."
  }
  assert {
    condition     = alltrue(flatten([for statement in data.aws_iam_policy_document.role-triggers.statement : [for action in statement.actions : action == "sagemaker:StartPipelineExecution"]]))
    error_message = "A rule may do more than start pipelines."
  }
}

run "no_workload_may_do_everything" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for policy in [
        data.aws_iam_policy_document.role-training,
        data.aws_iam_policy_document.role-pipelines,
        data.aws_iam_policy_document.role-serving,
        data.aws_iam_policy_document.role-monitoring,
        ] : [
        for statement in policy.statement : [for action in statement.actions : !endswith(action, "*")] if statement.effect == "Allow"
      ]
    ]))
    error_message = "A workload's role may do what is not named."
  }
  assert {
    condition = alltrue(flatten([
      for policy in [
        data.aws_iam_policy_document.role-training,
        data.aws_iam_policy_document.role-pipelines,
        data.aws_iam_policy_document.role-serving,
        data.aws_iam_policy_document.role-monitoring,
        ] : [
        for statement in policy.statement : [
          for action in statement.actions : !startswith(action, "iam:") || action == "iam:PassRole" && !contains(statement.resources, "*")
        ] if statement.effect == "Allow"
      ]
    ]))
    error_message = "A workload can change who may do what, or give its job any role."
  }
}
{%- if cookiecutter.ci != "none" %}

run "workloads_stay_below_the_ceiling" {
  command = plan

  assert {
    condition = alltrue([
      for role in [aws_iam_role.training, aws_iam_role.pipelines, aws_iam_role.serving, aws_iam_role.monitoring] :
      endswith(coalesce(role.permissions_boundary, "none"), "aws_iam_policy_boundary_arn")
    ])
    error_message = "A workload's role has no ceiling, so that CI, which may change it, has none."
  }
}

run "ci_is_this_repository_and_nobody_else" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for trust in [
        data.aws_iam_policy_document.trust-ci-plan,
        data.aws_iam_policy_document.trust-ci-build,
        data.aws_iam_policy_document.trust-ci-deploy,
        ] : [
        for statement in trust.statement : anytrue([
          for condition in statement.condition : endswith(condition.variable, ":sub") && alltrue([
            for value in condition.values : strcontains(value, "{{ cookiecutter.repository }}:")
          ])
        ])
      ]
    ]))
    error_message = "A job of another repository can take a role of CI."
  }
{%- if cookiecutter.ci == "github" %}
  assert {
    condition = alltrue(flatten([
      for statement in data.aws_iam_policy_document.trust-ci-deploy.statement : [
        for condition in statement.condition : [for value in condition.values : strcontains(value, ":environment:")] if endswith(condition.variable, ":sub")
      ]
    ]))
    error_message = "A job outside of the repository's environments, which has no reviewers, can deploy."
  }
{%- endif %}
}
{%- endif %}
