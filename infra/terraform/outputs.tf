output "environment" {
  description = "Variables of the target rds in profiles.yml: terraform output -json environment."
  value = {
    RETAIL_RDS_HOST   = aws_db_instance.this.address
    RETAIL_RDS_PORT   = tostring(aws_db_instance.this.port)
    RETAIL_RDS_DBNAME = aws_db_instance.this.db_name
  }
}

output "administrator" {
  description = "RETAIL_RDS_USER of the administrator, for make roles only."
  value       = aws_db_instance.this.username
}

output "administrator_secret_arn" {
  description = "Secret with the administrator's password, which RDS rotates: aws secretsmanager get-secret-value."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}

output "connect_policy_arn" {
  description = "Attach it to the role of the machine that runs the daily run with IAM tokens."
  value       = aws_iam_policy.connect.arn
}

output "security_group_id" {
  description = "Security group of the instance."
  value       = aws_security_group.database.id
}

output "alarm_topic_arn" {
  description = "Topic of the alarms."
  value       = aws_sns_topic.alarms.arn
}
