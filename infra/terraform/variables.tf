variable "name" {
  description = "Name of the instance and prefix of everything around it."
  type        = string
  default     = "retail"
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "vpc_id" {
  description = "The VPC that exists already."
  type        = string
}

variable "subnet_ids" {
  description = "At least two subnets in different availability zones. Private ones; a reviewer needs public ones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "RDS needs subnets in at least two availability zones, got ${length(var.subnet_ids)}."
  }
}

variable "client_security_group_ids" {
  description = "Security groups of the machines that connect: the daily run, BI tools, the deploy runner. By label."
  type        = map(string)
}

variable "reviewer" {
  description = <<-EOT
    Temporary access for one person from one address, as { cidr = "203.0.113.7/32", until = "2026-12-31" } (last day,
    UTC). The instance is public only while this is set and the day has not passed: the next apply closes it, `check`
    warns until it is removed, and retail_reader's password ends on the same day (make roles, --reader-until).
  EOT
  type = object({
    cidr  = string
    until = string
  })
  default = null

  validation {
    condition     = var.reviewer == null || can(regex("^\\d{1,3}(\\.\\d{1,3}){3}/32$", var.reviewer.cidr))
    error_message = "reviewer.cidr must be one IPv4 address such as 203.0.113.7/32."
  }

  validation {
    condition     = var.reviewer == null || can(timeadd("${var.reviewer.until}T00:00:00Z", "0s"))
    error_message = "reviewer.until must be a date such as 2026-12-31."
  }
}

variable "engine_major_version" {
  description = "Major version of PostgreSQL. The platform is tested on 15 to 18."
  type        = number
  default     = 15

  validation {
    condition     = var.engine_major_version >= 15 && var.engine_major_version <= 18
    error_message = "The platform is tested on PostgreSQL 15 to 18, got ${var.engine_major_version}."
  }
}

variable "allow_major_version_upgrade" {
  description = "Set only for the apply that upgrades the major version (docs/runbook.md)."
  type        = bool
  default     = false
}

variable "instance_class" {
  description = "Size. db.t3.micro is what the platform is proved on; README.md names the costs."
  type        = string
  default     = "db.t3.micro"
}

variable "allocated_storage" {
  description = "GB at the start; docs/rds.md says what five years at full scale take."
  type        = number
  default     = 20
}

variable "max_allocated_storage" {
  description = "GB up to which RDS grows the storage by itself. It never shrinks."
  type        = number
  default     = 40
}

variable "multi_az" {
  description = "A standby in another availability zone. Doubles the cost."
  type        = bool
  default     = false
}

variable "backup_retention_days" {
  description = "Days of point-in-time recovery."
  type        = number
  default     = 7

  validation {
    condition     = var.backup_retention_days >= 7 && var.backup_retention_days <= 35
    error_message = "Between 7 and 35 days, got ${var.backup_retention_days}."
  }
}

variable "alarm_emails" {
  description = "Who is told when an alarm goes off."
  type        = set(string)
}
