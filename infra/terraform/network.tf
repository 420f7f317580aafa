locals {
  # The end date closes the access by itself with the next apply.
  reviewer_may_connect = try(timecmp(plantimestamp(), "${var.reviewer.until}T23:59:59Z") <= 0, false)
}

check "reviewer_access_has_ended" {
  assert {
    condition     = var.reviewer == null || local.reviewer_may_connect
    error_message = "The reviewer's access ended on ${try(var.reviewer.until, "-")}: apply, then remove the variable."
  }
}

resource "aws_db_subnet_group" "this" {
  name        = var.name
  description = "Subnets of the retail database"
  subnet_ids  = var.subnet_ids
}

resource "aws_security_group" "database" {
  name        = "${var.name}-database"
  description = "PostgreSQL of the retail platform: in from named clients, out to nowhere"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "client" {
  for_each = var.client_security_group_ids

  security_group_id            = aws_security_group.database.id
  description                  = "PostgreSQL from ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_ingress_rule" "reviewer" {
  count = local.reviewer_may_connect ? 1 : 0

  security_group_id = aws_security_group.database.id
  description       = "PostgreSQL for a reviewer, until ${var.reviewer.until}"
  cidr_ipv4         = var.reviewer.cidr
  ip_protocol       = "tcp"
  from_port         = 5432
  to_port           = 5432
}
