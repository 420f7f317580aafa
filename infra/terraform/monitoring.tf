resource "aws_iam_role" "monitoring" {
  name = "${var.name}-database-monitoring"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

# Made before the instance would make them itself, without encryption or an end.
resource "aws_cloudwatch_log_group" "database" {
  for_each = toset(["postgresql", "upgrade"])

  name              = "/aws/rds/instance/${var.name}/${each.key}"
  retention_in_days = 365
  kms_key_id        = aws_kms_key.this.arn
}

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-database-alarms"
  kms_master_key_id = aws_kms_key.this.key_id
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.alarm_emails

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.key
}

locals {
  gb = 1024 * 1024 * 1024

  alarms = {
    storage = {
      metric      = "FreeStorageSpace"
      description = "Less than a quarter of the storage is free: a full rebuild would not fit for long"
      comparison  = "LessThanThreshold"
      statistic   = "Minimum"
      threshold   = var.allocated_storage * local.gb / 4
    }
    cpu_credits = {
      metric      = "CPUCreditBalance"
      description = "The burstable instance is about to run on surplus credits, which are billed"
      comparison  = "LessThanThreshold"
      statistic   = "Minimum"
      threshold   = 20
    }
    connections = {
      metric      = "DatabaseConnections"
      description = "A db.t3.micro allows about 100 connections; the platform itself needs fewer than 10"
      comparison  = "GreaterThanThreshold"
      statistic   = "Maximum"
      threshold   = 60
    }
    memory = {
      metric      = "FreeableMemory"
      description = "Less than 64 MB of memory can be freed: the next large sort may end the server"
      comparison  = "LessThanThreshold"
      statistic   = "Minimum"
      threshold   = 64 * 1024 * 1024
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-database-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  dimensions          = { DBInstanceIdentifier = aws_db_instance.this.identifier }
  comparison_operator = each.value.comparison
  statistic           = each.value.statistic
  threshold           = each.value.threshold
  period              = 300
  evaluation_periods  = 3
  treat_missing_data  = "missing"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
