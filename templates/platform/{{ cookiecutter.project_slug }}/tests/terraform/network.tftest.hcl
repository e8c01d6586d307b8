mock_provider "aws" {
  source = "./mocks/aws"
}

# The other stacks: each of their outputs is told by its own name.
mock_provider "terraform" {
  source = "./mocks/stacks"
}

run "nothing_comes_in_from_outside" {
  command = plan

  assert {
    condition = alltrue([
      for rule in [
        aws_vpc_security_group_ingress_rule.among-workloads,
        aws_vpc_security_group_ingress_rule.endpoints-from-workloads,
      ] : rule.cidr_ipv4 == null && rule.cidr_ipv6 == null && rule.prefix_list_id == null
    ])
    error_message = "A security group lets in what is not of the platform."
  }
  assert {
    condition     = alltrue([for subnet in [aws_subnet.private-1, aws_subnet.private-2, aws_subnet.private-3] : !subnet.map_public_ip_on_launch])
    error_message = "A subnet gives out public addresses."
  }
  assert {
    condition = alltrue([
      for rule in aws_network_acl.private.ingress : rule.action == "deny" || rule.cidr_block == aws_vpc.main.cidr_block || alltrue([
        for port in [22, 3389] : rule.from_port > port || rule.to_port < port
      ])
    ])
    error_message = "The subnets' access list lets remote desktops or shells in."
  }
}

run "nothing_goes_out_but_to_aws" {
  command = plan

  assert {
    condition = alltrue([
      for rule in [
        aws_vpc_security_group_egress_rule.among-workloads,
        aws_vpc_security_group_egress_rule.to-endpoints,
        aws_vpc_security_group_egress_rule.to-s3,
      ] : rule.cidr_ipv4 == null && rule.cidr_ipv6 == null
    ])
    error_message = "Workloads reach addresses outside of the network. Where egress is nat, take this test away."
  }
  assert {
    condition = alltrue([
      for endpoint in [
        aws_vpc_endpoint.ecr-api,
        aws_vpc_endpoint.ecr-dkr,
        aws_vpc_endpoint.kms,
        aws_vpc_endpoint.logs,
        aws_vpc_endpoint.sagemaker-api,
        aws_vpc_endpoint.sagemaker-runtime,
        aws_vpc_endpoint.sts,
      ] : endpoint.vpc_endpoint_type == "Interface" && endpoint.private_dns_enabled
    ])
    error_message = "A service is not reached by its private endpoint under its usual name."
  }
}

run "traffic_is_recorded" {
  command = plan

  assert {
    condition     = aws_flow_log.main.traffic_type == "ALL"
    error_message = "Some traffic is not recorded."
  }
  assert {
    condition     = endswith(aws_cloudwatch_log_group.flow.kms_key_id, "aws_kms_key_logs_arn") && aws_cloudwatch_log_group.flow.retention_in_days >= 365
    error_message = "The records of traffic are not encrypted with the key of the logs, or kept for less than a year."
  }
}
