resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-postgres${var.engine_major_version}-"
  description = "Retail platform on PostgreSQL ${var.engine_major_version}"
  family      = "postgres${var.engine_major_version}"

  # Memory settings stay RDS's own, which follow the size: docs/rds.md says what was measured with them.
  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "log_statement"
    value = "ddl"
  }

  # Milliseconds: the dashboards' queries take tens.
  parameter {
    name  = "log_min_duration_statement"
    value = "5000"
  }

  # A reader that waits for a build is a bug to find.
  parameter {
    name  = "log_lock_waits"
    value = "1"
  }

  # Kilobytes: what spills to disk with the small instance's work_mem.
  parameter {
    name  = "log_temp_files"
    value = "10240"
  }

  parameter {
    name         = "shared_preload_libraries"
    value        = "pg_stat_statements"
    apply_method = "pending-reboot"
  }

  # SSD: a random read costs about a sequential one.
  parameter {
    name  = "random_page_cost"
    value = "1.1"
  }

  # Queries here last milliseconds, less than compiling them.
  parameter {
    name  = "jit"
    value = "0"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_157:a standby doubles the cost; var.multi_az turns it on, backups cover the rest
  identifier = var.name

  engine                      = "postgres"
  engine_version              = tostring(var.engine_major_version)
  auto_minor_version_upgrade  = true
  allow_major_version_upgrade = var.allow_major_version_upgrade
  # Old majors are upgraded in time (docs/runbook.md), not paid for by the vCPU and hour.
  engine_lifecycle_support = "open-source-rds-extended-support-disabled"

  instance_class        = var.instance_class
  multi_az              = var.multi_az
  storage_type          = "gp3"
  allocated_storage     = var.allocated_storage
  max_allocated_storage = var.max_allocated_storage
  storage_encrypted     = true
  kms_key_id            = aws_kms_key.this.arn

  db_name                             = "retail"
  username                            = "retail_admin"
  manage_master_user_password         = true
  master_user_secret_kms_key_id       = aws_kms_key.this.key_id
  iam_database_authentication_enabled = true

  port                   = 5432
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.database.id]
  publicly_accessible    = local.reviewer_may_connect
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  parameter_group_name = aws_db_parameter_group.this.name
  # Reboots happen in the window, not in the middle of a build.
  apply_immediately  = false
  maintenance_window = "sun:08:00-sun:09:00"
  backup_window      = "03:00-04:00"

  backup_retention_period   = var.backup_retention_days
  copy_tags_to_snapshot     = true
  delete_automated_backups  = false
  skip_final_snapshot       = false
  final_snapshot_identifier = "${var.name}-final"
  deletion_protection       = true

  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
  performance_insights_enabled    = true
  performance_insights_kms_key_id = aws_kms_key.this.arn
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn

  depends_on = [aws_cloudwatch_log_group.database]
}

# The right to make IAM tokens for the platform's roles, for the machine of the daily run.
resource "aws_iam_policy" "connect" {
  name        = "${var.name}-database-connect"
  description = "IAM tokens for the roles of the retail database"
  policy      = data.aws_iam_policy_document.connect.json
}

data "aws_iam_policy_document" "connect" {
  statement {
    actions = ["rds-db:connect"]
    resources = [
      for role in ["retail_loader", "retail_transformer", "retail_reader"] :
      "arn:${data.aws_partition.current.partition}:rds-db:${var.region}:${data.aws_caller_identity.current.account_id}:dbuser:${aws_db_instance.this.resource_id}/${role}"
    ]
  }
}
