{# The md5 of SQL as `normalize_sql` has it: whether the logic changed. #}
{% macro hash_sql(text) %}
    {{- return(local_md5(pg_lifecycle.normalize_sql(text))) -}}
{% endmacro %}
