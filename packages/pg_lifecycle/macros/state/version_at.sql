{# SQL text of the version that a relation built at `time_sql` has: text that sorts as the time does. #}
{% macro version_at(time_sql) %}
    {{- return("to_char(" ~ time_sql ~ " at time zone 'utc', 'YYYYMMDD\"T\"HH24MISSUS')") -}}
{% endmacro %}
